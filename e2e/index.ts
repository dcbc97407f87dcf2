export * from './lab/index.ts';
export { type CfsslPrograms, type CfsslServe, ensureRealCfssl, type RealCfssl, startRealCfssl } from './oracle/cfssl.ts';
