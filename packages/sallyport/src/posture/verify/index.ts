// `sallyport/verify`: proves a live deployment against its policy, for programs and tests.

export type { FindingKind, Severity } from '../findings.ts'
export { findingKind, findingKinds } from '../findings.ts'
export type { SendOptions, Wire, WireAnswer, WireFailure, WireResult } from '../wire/send.ts'
export { parseTarget, replicaAt, replicasOf, type WireTarget } from '../wire/target.ts'
export {
  type Captured,
  type CaptureFile,
  captureOf,
  readCapture,
  readHar,
  verifyCaptured,
} from './captured.ts'
export type { Credential } from './credential.ts'
export { verificationJunit } from './junit.ts'
export type { Owned } from './owned.ts'
export type { Sample } from './plan.ts'
export {
  type ClassReport,
  type ControlReport,
  CouldNotVerify,
  type NotRun,
  type Profile,
  type Verification,
  type VerifyFinding,
} from './result.ts'
export { fingerprint, verificationSarif } from './sarif.ts'
export { verificationText } from './text.ts'
export { type VerifyOptions, verify } from './verify.ts'
export { type Change, changeBetween, type Known, type WatchOptions, type WatchState, watch } from './watch.ts'
