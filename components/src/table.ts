import { cfssl } from '../cfssl/component.ts';
import { cni } from '../cni/component.ts';
import { containerd } from '../containerd/component.ts';
import { coredns } from '../coredns/component.ts';
import { crictl } from '../crictl/component.ts';
import { etcd } from '../etcd/component.ts';
import { flannel } from '../flannel/component.ts';
import { helm } from '../helm/component.ts';
import { ignition } from '../ignition/component.ts';
import { kubernetes } from '../kubernetes/component.ts';
import { kubernetesSeparate } from '../kubernetes-separate/component.ts';
import { metricsServer } from '../metrics-server/component.ts';
import { pause } from '../pause/component.ts';
import { runc } from '../runc/component.ts';
import type { Component } from './component.ts';

/** Every component, the longest build first: that one decides when the whole is done. */
export const components: readonly Component[] = [
  kubernetes,
  containerd,
  coredns,
  flannel,
  helm,
  etcd,
  metricsServer,
  crictl,
  runc,
  cni,
  pause,
  kubernetesSeparate,
  cfssl,
  ignition,
];

/** What a bundle consists of. */
export const bundledComponents: readonly Component[] = components.filter((component) => component.goesTo !== 'nowhere');
