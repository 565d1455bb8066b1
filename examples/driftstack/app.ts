// Driftstack's API: account, admin, billing and status routes on Fastify. It sets no security header anywhere; the
// policy beside it does, below the framework.

import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { createGuard, type Guard } from 'sallyport'
import { guarded } from 'sallyport/fastify'
// Lets the guard publish the posture page.
import 'sallyport/posture'
import { type Account, type Accounts, type Role, sampleAccounts } from './accounts.ts'
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
  const guard = createGuard(policy, 'node')
  const accounts = sampleAccounts()
  const feed = createStatusFeed()
  feed.publish('api', 'operational')
  const app = Fastify({ ...guarded(guard) })
  app.addHook('preClose', async () => feed.close())

  const signedIn = gate(accounts, ['member', 'admin'])
  app.get('/v1/account', { onRequest: signedIn }, async (request) => accountOf(request))
  app.patch(
    '/v1/account',
    {
      onRequest: signedIn,
      schema: {
        body: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string', minLength: 1, maxLength: 100 } },
          additionalProperties: false,
        },
      },
    },
    async (request) => {
      const account = accountOf(request)
      account.name = (request.body as { name: string }).name
      return account
    },
  )
  app.get('/v1/account/usage/current', { onRequest: signedIn }, async (request) => ({
    account: accountOf(request).id,
    requests: 0,
  }))

  app.get('/v1/admin/accounts', { onRequest: gate(accounts, ['admin']) }, async () => accounts.all())

  app.get('/v1/billing/invoices', { onRequest: signedIn }, async (request) =>
    accounts.invoicesOf(accountOf(request)),
  )
  app.get('/v1/billing/invoices/:id', { onRequest: signedIn }, async (request, reply) => {
    const { id } = request.params as { id: string }
    // An invoice of somebody else is as unknown as one that does not exist.
    const invoice = accounts.invoicesOf(accountOf(request)).find((each) => each.id === id)
    return invoice ?? reply.code(404).send({ code: 'invoice_not_found' })
  })

  app.get('/v1/status', async () => ({ status: 'ok', components: feed.current() }))
  app.get('/v1/status/stream', (request, reply) => {
    reply.hijack()
    feed.connect(reply.raw, request.headers['last-event-id'] as string | undefined)
  })
  return { app, guard, accounts, feed }
}

const callers = new WeakMap<FastifyRequest, Account>()

function accountOf(request: FastifyRequest): Account {
  return callers.get(request)!
}

// The gate of the private routes (claim D11); the policy's no-store is the second line behind it.
function gate(accounts: Accounts, roles: readonly Role[]) {
  return async function requireAccount(request: FastifyRequest, reply: FastifyReply) {
    const token = /^Bearer ([\w-]{1,100})$/i.exec(request.headers.authorization ?? '')?.[1]
    const account = token === undefined ? undefined : accounts.byToken(token)
    if (account === undefined)
      return reply.code(401).header('WWW-Authenticate', 'Bearer').send({ code: 'unauthenticated' })
    if (!roles.includes(account.role)) return reply.code(403).send({ code: 'forbidden' })
    callers.set(request, account)
    return undefined
  }
}
