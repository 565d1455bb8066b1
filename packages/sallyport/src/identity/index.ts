// `sallyport/identity`: for services behind the gateway, who calls.

export type { Credential, Principal } from '../guard/principal.ts'
export {
  createIdentityVerifier,
  type IdentityVerifier,
  type IdentityVerifierOptions,
} from './verifier.ts'
