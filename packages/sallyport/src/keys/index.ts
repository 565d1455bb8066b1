// `sallyport/keys`: API keys, how they look, and a ring that answers for them.

export type { KeyAnswer, KeyRecord, KeyRing } from '../ports/keys.ts'
export { digestBytes, digestOf, type KeyDigest } from './digest.ts'
export { faultOfKey, type KeyFacts } from './facts.ts'
export {
  isVendor,
  type KeyEnvironment,
  type KeyFormat,
  type KeyKind,
  type KeyShape,
  keyFormat,
  looksLikeKey,
} from './format.ts'
export {
  KEY_LEAKS_MAX_BYTES,
  KEY_LEAKS_PATH,
  type LeakReports,
  leakReports,
} from './leaks.ts'
export type { Ended, KeyRecords, Revocations } from './revocation-watch.ts'
export { createKeyRing, type KeyRingOptions, type RunningKeyRing } from './ring.ts'
export { type ScannerRules, scannerRules } from './scanners.ts'
