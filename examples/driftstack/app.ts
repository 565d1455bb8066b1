// Driftstack's API: account, admin, billing and status routes on Fastify. It sets no security header anywhere; the
// policy beside it does, below the framework.

import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { createGuard, type Guard, type Principal } from 'sallyport'
import { guarded, principalOf } from 'sallyport/fastify'
// Lets the guard publish the posture page.
import 'sallyport/posture'
import { type Account, type Accounts, sampleAccounts } from './accounts.ts'
import policy from './sallyport.config.ts'
import { createStatusFeed, type StatusFeed } from './status-stream.ts'

/** A running API and what stands behind it. */
export interface Api {
  readonly app: FastifyInstance
  readonly guard: Guard
  readonly accounts: Accounts
  readonly feed: StatusFeed
}

/** Builds the API; it listens when it is told to. */
export function buildApi(): Api {
  const accounts = sampleAccounts()
  // The gate of the private routes (claim D11) stands in the policy; what it asks for is whose a token or a session is.
  const guard = createGuard(policy, 'node', {
    services: {
      tokens: { find: (token) => answerFor(accounts.byToken(token), 'token') },
      sessions: { find: (cookies) => answerFor(accounts.bySession(cookies), 'session') },
    },
  })
  const feed = createStatusFeed()
  feed.publish('api', 'operational')
  const app = Fastify({ ...guarded(guard) })
  app.addHook('preClose', async () => feed.close())

  const accountOf = (reply: FastifyReply): Account => accounts.byId(principalOf(reply)!.subject!)!
  app.get('/v1/account', async (_request, reply) => accountOf(reply))
  app.patch(
    '/v1/account',
    {
      schema: {
        body: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string', minLength: 1, maxLength: 100 } },
          additionalProperties: false,
        },
      },
    },
    async (request, reply) => {
      const account = accountOf(reply)
      account.name = (request.body as { name: string }).name
      return account
    },
  )
  app.get('/v1/account/usage/current', async (_request, reply) => ({
    account: accountOf(reply).id,
    requests: 0,
  }))

  app.get('/v1/admin/accounts', async () => accounts.all())

  app.get('/v1/billing/invoices', async (_request, reply) => accounts.invoicesOf(accountOf(reply)))
  app.get('/v1/billing/invoices/:id', async (request, reply) => {
    const { id } = request.params as { id: string }
    // An invoice of somebody else is as unknown as one that does not exist.
    const invoice = accounts.invoicesOf(accountOf(reply)).find((each) => each.id === id)
    return invoice ?? reply.code(404).send({ code: 'invoice_not_found' })
  })

  app.get('/v1/status', async () => ({ status: 'ok', components: feed.current() }))
  app.get('/v1/status/stream', (request, reply) => {
    reply.hijack()
    feed.connect(reply.raw, request.headers['last-event-id'] as string | undefined)
  })
  return { app, guard, accounts, feed }
}

// Each account is an organisation of its own.
function answerFor(
  account: Account | undefined,
  kind: 'token' | 'session',
): { readonly principal: Principal } | 'unknown' {
  if (account === undefined) return 'unknown'
  const { id, role, plan } = account
  return {
    principal: { organisation: id, subject: id, credential: { kind, id }, role, plan, scopes: [] },
  }
}
