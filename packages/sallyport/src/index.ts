// `sallyport`: the language of policies, in any JavaScript runtime.

export { type CatalogueEntry, catalogue, type ErrorCode } from './errors/catalogue.ts'
export { createGuard, type Guard, type GuardOptions, type WouldDo } from './guard/guard.ts'
export { definePolicy, type PolicyDocument, policyJsonSchema, type RoutePolicy } from './guard/policy.ts'
export { type ResolvedPolicy, resolvePolicy } from './guard/resolve.ts'
export { digest } from './policy/digest.ts'
export { PolicyError, type PolicyProblem } from './policy/problem.ts'
export { presets } from './presets/index.ts'
