// The gateway configuration: where this gateway stands, as the policy says what it does. It differs from one environment
// to the next, so it is no part of the policy, and changes nothing of the policy's digest.

import {
  flag,
  type Infer,
  integer,
  type JsonSchema,
  list,
  object,
  PolicyError,
  type PolicyProblem,
  problem,
  text,
} from 'sallyport/settings'
import { reachProblem } from '../admin/reach.ts'
import { adminSchema } from '../admin/setting.ts'
import { accessLogSchema } from '../log/setting.ts'
import { proxyProtocolProblems, proxyProtocolSchema } from '../proxy-protocol/setting.ts'
import {
  alertsSchema,
  backupsSchema,
  countersSchema,
  placesProblems,
  secretsSchema,
  storeSchema,
} from '../services/setting.ts'
import { tlsProblems, tlsSchema } from '../tls/setting.ts'
import { routesSchema, upstreamsProblems, upstreamsSchema } from '../upstream/setting.ts'

const listenerSchema = object(
  {
    host: text(
      { pattern: /^[A-Za-z0-9.:_-]{1,253}$/, expected: 'an address or a host name', mend: 'write "0.0.0.0"' },
      'The address to listen on.',
    ),
    port: integer({ min: 0, max: 65_535, example: 8443 }, 'The port; 0 takes a free one.'),
    http2: flag('Whether HTTP/2 is offered beside HTTP/1.1 where TLS ends here; true.'),
    proxyProtocol: proxyProtocolSchema,
  },
  'An address for requests.',
)

const configurationSchema = object(
  {
    $schema: text({ expected: 'a URL or a path', mend: 'name the schema file' }, 'The schema, for editors.'),
    listeners: list(listenerSchema, 'Where requests are taken; one.', { min: 1, max: 1 }),
    tls: tlsSchema,
    upstreams: upstreamsSchema,
    routes: routesSchema,
    admin: adminSchema,
    store: storeSchema,
    counters: countersSchema,
    secrets: secretsSchema,
    alerts: alertsSchema,
    backups: backupsSchema,
    accessLog: accessLogSchema,
    status: flag('Whether the gateway answers /v1/status and /v1/status/stream itself; false.'),
    workers: integer({ min: 1, max: 256, example: 4 }, 'How many processes share the port; 1.'),
    drain: object(
      {
        waitSeconds: integer(
          { min: 0, max: 600, example: 10 },
          'How long requests are still taken after the gateway says that it drains; as long as the front needs to notice. 0.',
        ),
        graceSeconds: integer(
          { min: 0, max: 3_600, example: 30 },
          'How long open requests may take to end after that; 10.',
        ),
      },
      'The way to an end.',
    ),
  },
  'Where a Sallyport gateway stands.',
)

// How a mistake of the whole file is told from one of the policy.
const ITSELF = 'the gateway configuration'

/** The configuration of a gateway as it is written. */
export type GatewayConfiguration = Infer<typeof configurationSchema>

/** The published JSON Schema (2020-12). */
export function configurationJsonSchema(id: string): JsonSchema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: id, ...configurationSchema.json }
}

/**
 * Checks a configuration.
 *
 * @throws PolicyError with every problem
 */
export function readConfiguration(input: unknown): GatewayConfiguration {
  const problems: PolicyProblem[] = []
  configurationSchema.check(input, '', (found) =>
    // Without a name a problem is the policy's.
    problems.push(found.path === '' ? { ...found, path: ITSELF } : found),
  )
  if (problems.length === 0) problems.push(...contradictions(input as GatewayConfiguration))
  if (problems.length > 0) throw new PolicyError(problems)
  return input as GatewayConfiguration
}

function contradictions(configuration: GatewayConfiguration): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [...upstreamsProblems(configuration.upstreams, configuration.routes)]
  const { admin, tls, listeners } = configuration
  if (admin && admin.path !== undefined && (admin.port !== undefined || admin.host !== undefined))
    problems.push(
      problem('admin', 'contradiction', 'an address and a socket', admin, 'keep host and port, or path'),
    )
  if (admin && admin.path === undefined && admin.port === undefined)
    problems.push(
      problem(
        'admin',
        'missing',
        'neither a port nor a path',
        admin,
        'write { host: "127.0.0.1", port: 9901 }',
      ),
    )
  const reach = reachProblem(admin)
  if (reach !== undefined) problems.push(reach)
  problems.push(...tlsProblems(tls))
  problems.push(...placesProblems(configuration, configuration.workers ?? 1))
  const listener = listeners?.[0]
  problems.push(...proxyProtocolProblems(listener?.proxyProtocol, 'listeners[0].proxyProtocol'))
  if (listener && listener.port === undefined)
    problems.push(problem('listeners[0]', 'missing', 'no port here', listener, 'write port: 8443'))
  if (
    listener?.port !== undefined &&
    listener.port !== 0 &&
    admin &&
    admin.port === listener.port &&
    (admin.host ?? '127.0.0.1') === (listener.host ?? '127.0.0.1')
  )
    problems.push(
      problem(
        'admin.port',
        'contradiction',
        'the port of the listener for requests',
        admin.port,
        'choose another',
      ),
    )
  return problems
}
