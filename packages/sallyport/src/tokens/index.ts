// `sallyport/tokens`: access tokens checked by their issuers' published keys, or by asking the issuer.

export type { TokenAnswer, TokenSource } from '../ports/tokens.ts'
export { ALGORITHMS, type Algorithm } from './algorithms.ts'
export type { ClaimNames } from './principal.ts'
export { createTokenVerifier, type Issuer, type VerifierNeeds } from './verifier.ts'
