// `sallyport/settings`: the language in which settings are written and checked, for packages that have settings of their
// own beside the policy. Their mistakes then read like the policy's.

export { proxyProblem, trustedSet } from './controls/client/setting.ts'
export { type Address, formatAddress, parseAddress, peerAddress } from './policy/address.ts'
export type { CidrSet } from './policy/cidr.ts'
export { type FileKind, loadPlainFile, loadPolicy, PolicyFileError } from './policy/load.ts'
export { loadFresh } from './policy/load-fresh.ts'
export { isPatternFault, parsePattern } from './policy/pattern.ts'
export { childPath, PolicyError, type PolicyProblem, sentence, show } from './policy/problem.ts'
export { buildRouter, type Router } from './policy/router.ts'
export {
  either,
  flag,
  type Infer,
  integer,
  type JsonSchema,
  list,
  not,
  object,
  oneOf,
  problem,
  type Report,
  record,
  type Schema,
  text,
} from './policy/schema.ts'
