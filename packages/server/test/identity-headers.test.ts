// Names by which front servers, identity proxies and clouds tell an application who calls: none passes with the
// caller's value, and names that only look alike do.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ask, gatewayFor, upstreamFor } from './harness.ts'

const IDENTITY = [
  ...['X-Forwarded', 'X-Original-Forwarded-For', 'Forwarded-For', 'X-Forward-For'],
  ...['WL-Proxy-Client-IP', 'Proxy-Client-IP', 'HTTP-Client-IP', 'Fly-Client-IP', 'X-ProxyUser-Ip'],
  ...['X-NF-Client-Connection-IP', 'X-Vercel-Forwarded-For', 'X-Vercel-IP-Country', 'X-Vercel-Oidc-Token'],
  ...['X-HTTP-Host-Override', 'X-Backend-Host', 'X-Arr-ClientCert', 'Client-Cert', 'Client-Cert-Chain'],
  ...['CF-Connecting-IP', 'CF-Connecting-IPv6', 'CF-IPCountry', 'Cf-Access-Authenticated-User-Email'],
  ...['Cf-Access-Jwt-Assertion', 'X-MS-Client-Principal', 'X-MS-Client-Principal-Name'],
  ...['X-Goog-Authenticated-User-Email', 'X-Goog-Authenticated-User-Id', 'X-Goog-IAP-JWT-Assertion'],
  ...['X-Amzn-Oidc-Data', 'X-Amzn-Oidc-Identity', 'X-WebAuth-User', 'X-WebAuth-Role'],
  ...['X-Consumer-Id', 'X-Consumer-Username', 'X-Authenticated-Userid', 'X-Authenticated-Scope'],
  ...['Tailscale-User-Login', 'Tailscale-User-Name', 'X-Authentik-Username', 'X-Authentik-Groups'],
  ...['X-Pomerium-Jwt-Assertion', 'X-Pomerium-Claim-Email', 'Remote-User', 'Remote-Groups', 'Remote-Email'],
  ...['Ssl-Client-Cert', 'Ssl-Client-Verify', 'Ssl-Client-S-Dn', 'X-TLS-Client-Cert', 'X-SSL-Client-Cert'],
  ...['X-SSL-Client-S-DN', 'X-Client-Cert', 'X-Client-Certificate', 'X-Auth-Request-Email', 'X-Remote-User'],
  ...['X-Remote-Group', 'X-Remote-IP', 'X-Remote-Addr', 'Sallyport-Identity', 'Sallyport-Caller'],
]

const ORDINARY = [
  ...['Client-Version', 'Client-Certainty', 'Remote', 'Remoteness', 'Cfx', 'Cf', 'Tailscale', 'SSL-Clients'],
  ...[
    'Forwarded-Message',
    'X-Forward',
    'X-Forwardedness',
    'X-Consumer',
    'X-Authentic',
    'X-Vercel',
    'X-MS-Date',
  ],
  ...['X-Goog-Api-Key', 'X-Amzn-Trace-Id', 'X-Auth-Token', 'X-Tls', 'X-Web', 'X'],
]

/** Sends each name with a value of its own, and says which of the names arrived with it. */
async function arriving(context: TestContext, names: readonly string[]): Promise<string[]> {
  const upstream = await upstreamFor(context, (request, response) => {
    response.end(JSON.stringify(request.rawHeaders))
  })
  const running = await gatewayFor(context, { upstream })
  const arrived: string[] = []
  // A few at a time, below what a request may have.
  for (let start = 0; start < names.length; start += 20) {
    const some = names.slice(start, start + 20)
    const headers = some.flatMap((name) => [name, `told by ${name}`])
    const answer = await ask(running, '/v1/x', { headers: ['Host', 'api.example.com', ...headers] })
    assert.equal(answer.status, 200)
    const lines = new Set<string>(JSON.parse(answer.body))
    arrived.push(...some.filter((name) => lines.has(`told by ${name}`)))
  }
  return arrived
}

for (const [how, spell] of [
  ['as written', (name: string) => name],
  ['in capitals', (name: string) => name.toUpperCase()],
  ['in small letters', (name: string) => name.toLowerCase()],
] as const) {
  test(`no name of a caller's identity reaches the upstream, ${how}`, async (context) => {
    assert.deepEqual(await arriving(context, IDENTITY.map(spell)), [])
  })

  test(`a name that only begins like one of identity reaches the upstream, ${how}`, async (context) => {
    const names = ORDINARY.map(spell)
    assert.deepEqual(await arriving(context, names), names)
  })
}

test('names of identity are dropped when more names came than are remembered', async (context) => {
  const upstream = await upstreamFor(context, (request, response) => {
    response.end(JSON.stringify(request.rawHeaders))
  })
  const running = await gatewayFor(context, { upstream })
  for (let round = 0; round < 60; round++) {
    const fresh = Array.from({ length: 20 }, (_, index) => [`X-Fresh-${round}-${index}`, 'a']).flat()
    const headers = ['Host', 'api.example.com', ...fresh, `Tailscale-User-${round}`, 'spoofed']
    const answer = await ask(running, '/', { headers })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.includes('spoofed'), false)
  }
})
