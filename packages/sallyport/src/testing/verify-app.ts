// `verifyApp`: starts the app, runs every quick probe of the policy against it, stops it, and throws what does not hold.

import { AssertionError } from 'node:assert'
import type { TransportSetting } from '../controls/transport/setting.ts'
import type { PolicyDocument } from '../guard/policy.ts'
import { type ResolvedPolicy, resolvePolicy } from '../guard/resolve.ts'
import type { Credential } from '../posture/verify/credential.ts'
import type { Owned } from '../posture/verify/owned.ts'
import type { Sample } from '../posture/verify/plan.ts'
import type { Verification, VerifyFinding } from '../posture/verify/result.ts'
import { findingLines } from '../posture/verify/text.ts'
import { verify } from '../posture/verify/verify.ts'
import { methodOf } from '../posture/wire/request.ts'
import { send, type Wire } from '../posture/wire/send.ts'
import { isBeyondFetch } from './fetch-listener.ts'
import { type AppUnderTest, type ServedApp, serveApp, type TestCertificate } from './serve-app.ts'

/** How an app is verified; everything has a default. */
export interface VerifyAppOptions {
  /** Paths that are known to answer in a certain way, such as `{ class: 'error', path: '/v1/fails' }`. */
  readonly samples?: readonly Sample[]
  /** Asks again as each role. */
  readonly credentials?: readonly Credential[]
  /** Also sends requests that may change something; true where nothing is said, since the app is the test's own. */
  readonly allowWrites?: boolean
  /** Objects of a role's organisation, which every other role and nobody must be refused. */
  readonly owned?: readonly Owned[]
  /** Also uses up the smallest bucket of an address and of each credential, and judges the 429s. */
  readonly provokeLimits?: boolean
  /** The certificate for a policy that ends TLS at the app (`transport: { tls: 'here' }`); PEM. */
  readonly tls?: TestCertificate
  /** Finding ids that are known and accepted, such as `framing.missing`. */
  readonly except?: readonly string[]
}

// A test's app is on this machine: what is silent for long stays silent.
const LIMITS = { headMs: 1_500, bodyMs: 200 } as const

/**
 * Verifies an app against its policy. The app is started on a port of its own and stopped in any case; a server that
 * listens already is used as it is.
 *
 * @throws AssertionError where something does not hold: each finding with the line that mends it
 * @throws PolicyError where the policy is wrong
 * @throws TypeError where it is no app
 * @example
 * test('the policy holds', () => verifyApp(app, policy))
 */
export async function verifyApp(
  app: AppUnderTest,
  policy: PolicyDocument | ResolvedPolicy,
  options: VerifyAppOptions = {},
): Promise<Verification> {
  const resolved = 'cells' in policy ? policy : resolvePolicy(policy)
  // Where the listener is ours, it speaks what the policy lets it.
  const { minVersion } = transportOf(resolved)
  const tls = options.tls && { ...options.tls, ...(minVersion ? { minVersion } : {}) }
  const served = await serveApp(app, tls)
  let result: Verification
  try {
    expectScheme(resolved, served)
    result = await verify(resolved, served.target, {
      place: served.place,
      allowWrites: options.allowWrites ?? true,
      owned: options.owned ?? [],
      provokeLimits: options.provokeLimits ?? false,
      samples: options.samples ?? [],
      credentials: options.credentials ?? [],
      userAgent: 'sallyport-testing',
      judgeCertificate: false,
      wire: wireTo(served),
    })
  } finally {
    await served.stop()
  }
  const ignored = new Set(options.except)
  const findings = result.findings.filter(({ id }) => !ignored.has(id))
  if (findings.length > 0) throw failure(findings, result)
  return result
}

function transportOf({ cells }: ResolvedPolicy): TransportSetting {
  return cells.at(-2)!.settings['transport'] as TransportSetting
}

// Under such a policy plain HTTP meets refusals alone, which would all hold and prove nothing.
function expectScheme(policy: ResolvedPolicy, { target }: ServedApp): void {
  const { tls, mode } = transportOf(policy)
  if (tls === 'here' && mode !== 'off' && target.scheme === 'http')
    throw new TypeError(
      'verifyApp: the policy says transport.tls: "here", so the app must be asked over TLS; give verifyApp(app, policy, { tls: { key, cert } }) a certificate of the test, or hand over a server of node:https',
    )
}

// What a Fetch host answers before it calls a handler says nothing of the app.
function wireTo({ place }: ServedApp): Wire {
  return (target, request, options) => {
    if (place === 'fetch' && ('raw' in request || isBeyondFetch(methodOf(request), request.path)))
      return Promise.resolve({
        kind: 'failure',
        phase: 'head',
        code: 'not sent, since a Fetch host answers it before the handler',
        timing: { totalMs: 0 },
      })
    return send(target, request, { ...options, limits: { ...options?.limits, ...LIMITS } })
  }
}

function failure(findings: readonly VerifyFinding[], result: Verification): AssertionError {
  const held = `${result.passed} of ${result.of} probes hold`
  const count = `${findings.length} finding${findings.length === 1 ? '' : 's'}`
  // The port is gone when somebody reads this, so no line that asks it again.
  const lines = findingLines(findings.map((each) => ({ ...each, curl: '' })))
  const error = new AssertionError({
    message: [`the app does not hold its policy: ${count}, ${held}`, '', ...lines].join('\n').trimEnd(),
    // Short, since runners print it beside the message.
    actual: [...new Set(findings.map(({ id }) => id))],
    expected: [],
    operator: 'verifyApp',
    stackStartFn: verifyApp,
  })
  // For programs; runners that print every property would bury the message under it.
  return Object.defineProperty(error, 'verification', { value: result })
}
