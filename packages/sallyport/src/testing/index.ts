// `sallyport/testing`: a policy as a test of the app, in node:test, Vitest or any other runner: what does not hold is
// thrown, with the line that mends it.

export type { PolicyDocument } from '../guard/policy.ts'
export type { Credential } from '../posture/verify/credential.ts'
export type { Owned } from '../posture/verify/owned.ts'
export type { Sample } from '../posture/verify/plan.ts'
export type { Verification, VerifyFinding } from '../posture/verify/result.ts'
export {
  type ForEachRouteOptions,
  forEachRoute,
  type RouteCoverage,
  type ServedRoute,
} from './for-each-route.ts'
export type { AppUnderTest } from './serve-app.ts'
export { type VerifyAppOptions, verifyApp } from './verify-app.ts'
