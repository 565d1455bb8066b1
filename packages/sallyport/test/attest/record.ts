// A record of a verification, from a server that runs under the policy, or almost.

import { createServer } from '../../src/adapters/node/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { listening } from '../kinds/listen.ts'

export const policy: PolicyDocument = {
  extends: 'recommended',
  routes: { '/v1/status': { data: 'public', credentials: 'none' } },
}

/** Verifies a server that runs under `runs` against the policy. */
export async function recorded(runs: PolicyDocument = policy): Promise<Verification> {
  const app = await listening(createServer(runs, (_request, response) => void response.end('{}')))
  try {
    return await verify(policy, `http://127.0.0.1:${app.port}`, { place: 'node' })
  } finally {
    await app.close()
  }
}
