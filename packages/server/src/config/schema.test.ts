// The published JSON Schema of the gateway configuration: up to date, and of one mind with the check.
// To write it anew: node packages/server/src/config/schema.test.ts --write

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { PolicyError } from 'sallyport/settings'
import { configurationJsonSchema, readConfiguration } from './setting.ts'

const file = new URL('../../schema/gateway.schema.json', import.meta.url)
const schema = configurationJsonSchema('urn:sallyport:gateway:0.1')
const text = `${JSON.stringify(schema, null, 2)}\n`

if (process.argv.includes('--write')) {
  mkdirSync(new URL('.', file), { recursive: true })
  writeFileSync(file, text)
}

const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema)

test('the schema file is what the settings say', () => {
  assert.equal(readFileSync(file, 'utf8'), text)
})

const GOOD: readonly object[] = [
  {},
  { $schema: './schema.json', listeners: [{ host: '0.0.0.0', port: 8443, http2: false }] },
  { upstreams: { api: { urls: ['http://127.0.0.1:9000'] } }, workers: 4, status: true },
  { admin: false, accessLog: false },
  {
    upstreams: {
      api: {
        urls: ['https://10.0.0.1:9000', 'https://10.0.0.2:9000'],
        connections: 200,
        connectionsPerClient: 20,
        queue: 50,
        queueMs: 500,
        timeouts: { connectMs: 1_000, headMs: 5_000, bodyIdleMs: 5_000, uploadStartMs: 9, tunnelIdleMs: 1 },
        retries: 0,
        ejection: { failures: 3, firstMs: 1_000, longestMs: 9_000 },
        tls: { ca: 'ca.pem', cert: 'a.pem', key: 'b.pem', serverName: 'api.internal' },
        keepAlive: 'all',
      },
      files: { urls: ['http://127.0.0.1:9001'], ejection: false },
    },
    routes: { '/*': 'api', 'GET /files/*': 'files' },
  },
  { admin: { path: 'run/admin.sock' }, accessLog: 'stdout' },
  { admin: { host: '10.0.0.1', port: 9901, allowNonLoopback: true, hosts: ['gateway.internal'] } },
  { admin: { host: '::1', port: 9901 }, accessLog: { file: 'a.log' } },
  { listeners: [{ port: 8443, proxyProtocol: { from: ['10.0.0.5', '2001:db8::/64', 'loopback'] } }] },
  {
    store: { folder: 'store' },
    alerts: [
      { webhook: 'https://alerts.example.com/x?y=1', secretFrom: 'ALERTS_SECRET' },
      { webhook: 'http://127.0.0.1:8080/' },
      { command: ['./tell', '--loud'] },
    ],
  },
  { store: { folder: 'store' }, backups: { folder: 'backups', recipient: 'backup.recipient' } },
  { tls: { certificates: [{ cert: 'a.pem', key: 'b.pem' }] }, drain: { waitSeconds: 10, graceSeconds: 30 } },
]

for (const configuration of GOOD)
  test(`accepts ${JSON.stringify(configuration)}`, () => {
    assert.ok(validate(configuration), JSON.stringify(validate.errors))
    readConfiguration(configuration)
  })

const BAD: readonly (readonly [configuration: unknown, problem: RegExp])[] = [
  [[], /^the gateway configuration: expected an object/],
  [null, /^the gateway configuration: expected an object/],
  ['x', /^the gateway configuration: expected an object, received "x"/],
  [{ alerts: [{ command: ['x'] }] }, /^alerts: follow from the audit log, which needs a store/],
  [
    { store: { folder: 'a' }, alerts: [{ webhook: 'http://alerts.example.com/' }] },
    /^alerts\[0\]\.webhook: expected an https URL/,
  ],
  [{ backups: { folder: 'a', recipient: 'b' } }, /^backups: there are no records to back up/],
  [{ store: { folder: 'a' }, backups: { folder: 'b' } }, /^backups: nobody here to whom they are encrypted/],
  [{ store: { folder: 'a' }, alerts: [{}] }, /^alerts\[0\]: expected one of "webhook", "command" and "mail"/],
  [
    { store: { folder: 'a' }, alerts: [{ command: ['x'], secretFrom: 'X' }] },
    /^alerts\[0\]\.secretFrom: signs what a webhook gets/,
  ],
  [{ listener: [] }, /^listener: there is no setting "listener" here; did you mean "listeners"\?$/],
  [{ listeners: [] }, /^listeners: expected at least 1 item/],
  [
    { listeners: [{ port: 70_000 }] },
    /^listeners\[0\]\.port: expected a whole number from 0 to 65535, received 70000/,
  ],
  [{ listeners: [{ host: 'a b', port: 1 }] }, /^listeners\[0\]\.host: expected an address or a host name/],
  [{ listeners: [{ host: '::1' }] }, /^listeners\[0\]: no port here/],
  [{ listeners: [{ port: 1, proxyProtocol: {} }] }, /^listeners\[0\]\.proxyProtocol: no peers here/],
  [
    { listeners: [{ port: 1, proxyProtocol: { from: ['0.0.0.0/0'] } }] },
    /^listeners\[0\]\.proxyProtocol\.from\[0\]: trusts every address/,
  ],
  [
    { listeners: [{ port: 1, proxyProtocol: { from: [] } }] },
    /^listeners\[0\]\.proxyProtocol\.from: expected at least 1/,
  ],
  [
    { admin: { host: '0.0.0.0', port: 9901 } },
    /^admin\.host: other machines can reach this address, .*received "0\.0\.0\.0"; write "127\.0\.0\.1"/,
  ],
  [{ admin: { host: 'gateway.internal', port: 9901 } }, /^admin\.host: other machines can reach/],
  [{ admin: true }, /^admin: expected false or an object, received true/],
  [{ admin: {} }, /^admin: neither a port nor a path/],
  [{ admin: { port: 1, path: 'x' } }, /^admin: an address and a socket/],
  [{ admin: { port: 9, hosts: ['A'] } }, /^admin\.hosts\[0\]: expected a host name in small letters/],
  [{ admin: { port: 8443 }, listeners: [{ port: 8443 }] }, /^admin\.port: the port of the listener/],
  [{ accessLog: 'stderr' }, /^accessLog: expected one of "stdout", received "stderr"/],
  [
    { upstreams: { api: { urls: ['ftp://x'] } } },
    /^upstreams\.api\.urls\[0\]: expected an http or https URL, received "ftp:\/\/x"; write/,
  ],
  [{ upstreams: { api: {} } }, /^upstreams\.api\.urls: no URL here/],
  [{ upstreams: {} }, /^upstreams: expected an upstream, received {}/],
  [
    { upstreams: { api: { urls: ['http://a:80', 'http://A'] } } },
    /^upstreams\.api\.urls\[1\]: the same address as urls\[0\]/,
  ],
  [
    { upstreams: { api: { urls: ['http://a'], tls: { serverName: 'b' } } } },
    /^upstreams\.api\.urls\[0\]: there are settings for TLS, received "http:\/\/a"; write https/,
  ],
  [
    { upstreams: { api: { urls: ['https://a'], tls: { cert: 'a.pem' } } } },
    /^upstreams\.api\.tls: no key here/,
  ],
  [
    { upstreams: { api: { urls: ['http://a'], ejection: { firstMs: 9, longestMs: 8 } } } },
    /^upstreams\.api\.ejection\.firstMs: longer than longestMs, received 9/,
  ],
  [
    { upstreams: { api: { urls: ['http://a'], connections: 4, connectionsPerClient: 5 } } },
    /^upstreams\.api\.connectionsPerClient: more than the 4 of all clients together, received 5/,
  ],
  [
    { upstreams: { api: { urls: ['http://a'], retries: 2 } } },
    /^upstreams\.api\.retries: expected a whole number from 0 to 1, received 2/,
  ],
  [
    { upstreams: { api: { urls: ['http://a'] }, files: { urls: ['http://b'] } } },
    /^routes: there are several upstreams, and nothing says which paths are whose; write routes: { "\/\*": "api" }/,
  ],
  [{ routes: { '/*': 'api' } }, /^routes: there are no upstreams; name them/],
  [
    { upstreams: { api: { urls: ['http://a'] } }, routes: { '/*': 'apis' } },
    /^routes\["\/\*"\]: there is no such upstream, received "apis"; the upstreams are api$/,
  ],
  [
    { upstreams: { api: { urls: ['http://a'] } }, routes: { '/x/../y': 'api' } },
    /^routes\["\/x\/\.\.\/y"\]: a route path is written as clients send it, and this one has a dot segment/,
  ],
  [
    { upstreams: { api: { urls: ['http://a'] } }, routes: { '/a/:x': 'api', '/a/:y': 'api' } },
    /^routes\["\/a\/:y"\]: covers the same paths as "\/a\/:x"; keep one of them$/,
  ],
  [{ tls: { certificates: [{ cert: 'x' }] } }, /^tls\.certificates\[0\]: no key here/],
  [{ workers: 0 }, /^workers: expected a whole number from 1 to 256, received 0/],
  [{ drain: { waitSeconds: -1 } }, /^drain\.waitSeconds: expected a whole number/],
]

for (const [configuration, problem] of BAD)
  test(`refuses ${JSON.stringify(configuration)} with its place and the way to mend it`, () => {
    assert.throws(
      () => readConfiguration(configuration),
      (error) => error instanceof PolicyError && problem.test(error.message),
    )
  })

test('a password in a URL is not repeated', () => {
  assert.throws(
    () => readConfiguration({ upstreams: { api: { urls: ['http://me:hunter2@127.0.0.1'] } } }),
    (error) => error instanceof PolicyError && !error.message.includes('hunter2'),
  )
})
