import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { containerdEnvironment, renderContainerdConfig, renderCrictlConfig } from './containerd-config.ts';
import { testInputs } from './test-inputs.ts';

describe('containerd configuration', () => {
  test('is this on an ordinary host', () => {
    assert.equal(
      renderContainerdConfig(testInputs()),
      `version = 4
root = "/var/lib/rancher/rfo/agent/containerd"
state = "/run/rfo/containerd"
disabled_plugins = ["io.containerd.differ.v1.erofs", "io.containerd.image-verifier.v1.bindir", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.monitor.container.v1.restart", "io.containerd.mount-handler.v1.erofs", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.native", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp"]
imports = ["/var/lib/rancher/rfo/agent/etc/containerd/config.toml.d/*.toml"]

[plugins."io.containerd.server.v1.grpc"]
address = "/run/rfo/containerd/containerd.sock"

[plugins."io.containerd.server.v1.ttrpc"]
address = "/run/rfo/containerd/containerd.sock.ttrpc"

[plugins."io.containerd.monitor.task.v1.cgroups"]
no_prometheus = true

[plugins."io.containerd.nri.v1.nri"]
socket_path = "/var/run/nri/nri.sock"

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "rfo.io/pause:3.10.2"

[plugins."io.containerd.cri.v1.images".registry]
config_path = "/var/lib/rancher/rfo/agent/etc/containerd/certs.d"

[plugins."io.containerd.cri.v1.runtime"]
enable_selinux = false
device_ownership_from_security_context = false
restrict_oom_score_adj = false

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/var/lib/rancher/rfo/bin", "/opt/cni/bin"]
conf_dir = "/var/lib/rancher/rfo/agent/etc/cni/net.d"
use_internal_loopback = true

[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "/var/lib/rancher/rfo/bin/runc"
Root = "/run/rfo/containerd/runc"
SystemdCgroup = true
`,
    );
  });

  test('follows a host without overlayfs, systemd and CAP_SYS_RESOURCE', () => {
    const text = renderContainerdConfig(
      testInputs({ host: { overlayfs: { ok: false, why: 'nested' }, cgroupDriver: 'cgroupfs', canRaiseOom: false } }),
    );
    assert.match(text, /^snapshotter = "native"$/m);
    assert.doesNotMatch(text, /io\.containerd\.snapshotter\.v1\.native/);
    assert.match(text, /^SystemdCgroup = false$/m);
    assert.match(text, /^restrict_oom_score_adj = true$/m);
  });

  test('keeps to its own folders when it is not installed', () => {
    const text = renderContainerdConfig(testInputs({ dataDir: '/home/a/.rfo/data', runDir: '/home/a/.rfo/run' }));
    assert.match(text, /^socket_path = "\/home\/a\/\.rfo\/run\/nri\/nri\.sock"$/m);
  });

  test('gives crictl the socket', () => {
    assert.equal(
      renderCrictlConfig(testInputs()),
      'runtime-endpoint: "unix:///run/rfo/containerd/containerd.sock"\nimage-endpoint: "unix:///run/rfo/containerd/containerd.sock"\ntimeout: 10\n',
    );
    const own = testInputs({ config: { 'container-runtime-endpoint': '/run/crio/crio.sock' } });
    assert.match(renderCrictlConfig(own), /^runtime-endpoint: "unix:\/\/\/run\/crio\/crio\.sock"$/m);
  });

  test('gives containerd alone what is meant for it', () => {
    const base = { PATH: '/bin', HTTPS_PROXY: 'http://all', CONTAINERD_HTTPS_PROXY: 'http://images' };
    assert.deepEqual(containerdEnvironment(base, base), { PATH: '/bin', HTTPS_PROXY: 'http://images' });
  });
});
