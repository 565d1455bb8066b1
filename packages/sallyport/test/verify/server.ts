// Servers whose every answer a test decides, and what comes of verifying them.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { TestContext } from 'node:test'
import { createServer as guarded } from '../../src/adapters/node/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import type { Verification, VerifyFinding } from '../../src/posture/verify/result.ts'
import { listening } from '../kinds/listen.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A policy that says little: one header, so that a test can say the rest. */
export const NOSNIFF: PolicyDocument = {
  headers: { contentTypeOptions: 'nosniff', strip: false },
  cache: { mode: 'off' },
  client: { requestId: false },
  request: { mode: 'off' },
  errors: { mode: 'off' },
}

/** Starts a bare server; its URL. */
export async function bare(context: TestContext, handler: Handler): Promise<string> {
  const app = await listening(createServer(handler))
  context.after(() => app.close())
  return `http://127.0.0.1:${app.port}`
}

/** Starts a server under a policy; its URL. */
export async function under(context: TestContext, policy: PolicyDocument, handler: Handler): Promise<string> {
  const app = await listening(guarded(policy, handler))
  context.after(() => app.close())
  return `http://127.0.0.1:${app.port}`
}

/** Starts a server with TLS, with settings of its own; its port. */
export async function withTls(
  context: TestContext,
  options: Parameters<typeof createTlsServer>[0],
  handler: Handler,
): Promise<number> {
  const app = await listening(createTlsServer(options, handler))
  context.after(() => app.close())
  return app.port
}

/** What was found, as `id class cell`. */
export function found({ findings }: Verification): readonly string[] {
  return findings.map(({ id, class: where, cell }) => `${id} ${where} ${cell}`).sort()
}

/** The one finding of an id. */
export function only({ findings }: Verification, id: string): VerifyFinding {
  const [first] = findings.filter((each) => each.id === id)
  if (first === undefined)
    throw new Error(`${id} was not found, but ${findings.map((each) => each.id).join(', ')}`)
  return first
}
