// `sallyport`: the language of policies, in any JavaScript runtime.

export { type CatalogueEntry, catalogue, type ErrorCode } from './errors/catalogue.ts'
export type { Judgement, Trial } from './guard/control.ts'
export { createGuard, type Guard, type GuardOptions, type WouldDo } from './guard/guard.ts'
export { definePolicy, type PolicyDocument, policyJsonSchema, type RoutePolicy } from './guard/policy.ts'
export { CREDENTIAL_KINDS, type Credential, type PlanOverrides, type Principal } from './guard/principal.ts'
export { type ResolvedPolicy, resolvePolicy } from './guard/resolve.ts'
export { servicesFor } from './guard/services.ts'
export { digest } from './policy/digest.ts'
export { PolicyError, type PolicyProblem } from './policy/problem.ts'
export type { AuditAction, AuditEvent, AuditSink } from './ports/audit.ts'
export type { Challenge, Challenged, Challenges, SolvedChallenge } from './ports/challenges.ts'
export type {
  GivenKey,
  KeyActor,
  KeyAdministrator,
  KeyChange,
  KeyHome,
  KeyObstacle,
  ManagedKey,
  WantedKey,
} from './ports/key-administrator.ts'
export type { KeyAnswer, KeyRecord, KeyRing } from './ports/keys.ts'
export type { Guess, LockoutNumbers, LockoutStore, Reservation } from './ports/lockouts.ts'
export type { Services } from './ports/services.ts'
export type { SessionAnswer, SessionSource } from './ports/sessions.ts'
export type { TokenAnswer, TokenSource } from './ports/tokens.ts'
export { presets } from './presets/index.ts'
