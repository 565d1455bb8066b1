// The commands. Each is loaded only when it is run.

import { PRESET_NAMES } from '../presets/names.ts'
import type { Command, Option } from './command.ts'

const json: Option = { name: 'json', doc: 'write JSON instead of text', noEnvironment: true }

const listening: readonly Option[] = [
  { name: 'host', value: 'HOST', doc: 'the address to listen on', fallback: '127.0.0.1' },
  { name: 'port', value: 'PORT', doc: 'the port to listen on; 0 takes a free one', fallback: '8443' },
  { name: 'policy', value: 'FILE', doc: 'the policy; else sallyport.config.ts or .json of this directory' },
  { name: 'state', value: 'DIR', doc: 'where certificates and other state are kept', fallback: '.sallyport' },
]

const stored: readonly Option[] = [
  {
    name: 'store',
    value: 'WHERE',
    doc: 'the records: a folder, or postgres://USER@HOST/DATABASE',
    fallback: '.sallyport/store',
  },
  {
    name: 'owner',
    value: 'URL',
    doc: 'on a server, as the owner of the tables: brings the schema up to date',
  },
]

export const commands: readonly Command[] = [
  {
    name: 'start',
    summary: 'show it: the gateway before a sample API that misbehaves on purpose',
    detail:
      'Starts the gateway with a certificate of its own before a sample API, and prints three curl lines that show the difference.',
    options: [
      ...listening,
      { name: 'upstream-port', value: 'PORT', doc: 'the port of the sample API', fallback: '0' },
      json,
    ],
    run: async (...given) => (await import('./start.ts')).start(...given),
  },
  {
    name: 'serve',
    summary: 'run the gateway before an API of yours',
    detail:
      'Every request and every answer of the API at URL goes through the policy. Where the policy says transport: { tls: "here" }, TLS ends here, with --cert and --key or a local certificate; where it says "in-front", this listener speaks plain HTTP to the balancer before it.',
    options: [
      {
        name: 'upstream',
        value: 'URL',
        doc: 'the API, such as http://127.0.0.1:9000; required where the configuration names no upstreams',
      },
      ...listening,
      { name: 'cert', value: 'FILE', doc: 'the certificate chain, PEM; with --key' },
      { name: 'key', value: 'FILE', doc: 'the private key, PEM; with --cert' },
      {
        name: 'config',
        value: 'FILE',
        doc: 'the gateway configuration; else sallyport.gateway.ts or .json of this directory; options win over it',
      },
      {
        name: 'admin',
        value: 'WHERE',
        doc: 'the listener for operators: HOST:PORT, unix:PATH or off; else 127.0.0.1:9901',
      },
      {
        name: 'access-log',
        value: 'WHERE',
        doc: 'a line of JSON for each request: stdout, a file, or off; else off',
      },
      { name: 'workers', value: 'N', doc: 'processes that share the port; else 1' },
      {
        name: 'drain-wait',
        value: 'SECONDS',
        doc: 'how long requests are still taken while the gateway says that it drains; else 0',
      },
      json,
    ],
    run: async (...given) => (await import('./serve.ts')).serve(...given),
  },
  {
    name: 'report',
    summary: 'tell what controls in report mode would have done',
    detail:
      'Asks a running gateway, and prints for each route what would have been denied or changed, how often, for which origins and credentials, and what to do next.',
    options: [
      {
        name: 'admin',
        value: 'WHERE',
        doc: 'the admin listener: HOST:PORT, a URL, or unix:PATH; else that of the configuration, else 127.0.0.1:9901',
      },
      {
        name: 'config',
        value: 'FILE',
        doc: 'the gateway configuration that names it; else sallyport.gateway.ts or .json of this directory',
      },
      json,
    ],
    run: async (...given) => (await import('./report.ts')).report(...given),
  },
  {
    name: 'check',
    summary: 'check a policy: its mistakes, digest, cells and warnings',
    detail:
      'Reads FILE, or the policy of this directory. Prints every mistake with its place and how to mend it, and ends with 2; else the digest, the table of cells and what deserves a second look, and ends with 0.',
    operand: 'FILE',
    options: [
      { name: 'policy', value: 'FILE', doc: 'the policy, as FILE names it too' },
      {
        name: 'config',
        value: 'FILE',
        doc: 'the gateway configuration to check too; else sallyport.gateway.ts or .json of this directory',
      },
      json,
    ],
    run: async (...given) => (await import('./check.ts')).check(...given),
  },
  {
    name: 'verify',
    summary: 'prove a live deployment against its policy',
    detail:
      'Sends the probes of every control and provokes every class of answers in every route, and holds what comes against what the policy would have sent. Only requests that change nothing, unless --allow-writes. Ends with 0 where everything holds, 1 with findings, 2 where nothing could be verified.',
    operand: 'URL',
    options: [
      {
        name: 'policy',
        value: 'FILE',
        doc: 'the policy; else sallyport.config.ts or .json of this directory',
      },
      {
        name: 'posture',
        value: 'URL',
        doc: 'instead of a policy, the posture that is published there; that of the deployment itself where no policy is here',
        noEnvironment: true,
      },
      {
        name: 'key',
        value: 'FILE',
        doc: 'who must have attested that policy, an Ed25519 public key, PEM',
        noEnvironment: true,
      },
      {
        name: 'attestation',
        value: 'URL',
        doc: 'where the signed statement is published; else /.well-known/api-posture.dsse.json beside the posture',
        noEnvironment: true,
      },
      { name: 'profile', value: 'NAME', doc: 'quick, or full with slow probes', fallback: 'quick' },
      {
        name: 'place',
        value: 'PLACE',
        doc: 'where the policy runs: gateway, node or fetch; else the published posture says it, or an answer of either of the first two will do',
      },
      {
        name: 'path',
        value: 'CLASS=PATH',
        doc: 'a path that answers so, such as 200=/v1/account or error=/v1/fails',
        many: true,
      },
      { name: 'samples', value: 'FILE', doc: 'the same from a file: { "200": ["/v1/account"] }' },
      {
        name: 'credential',
        value: 'ROLE=HEADER:VALUE',
        doc: 'asks again as this role; @NAME as the value takes it from the environment',
        many: true,
      },
      { name: 'allow-writes', doc: 'sends requests that may change something', noEnvironment: true },
      { name: 'ca', value: 'FILE', doc: 'the certificate authority to trust, PEM' },
      { name: 'insecure', doc: 'goes on where the certificate is not trusted', noEnvironment: true },
      { name: 'replica', value: 'HOST:PORT', doc: 'one of several servers behind the name', many: true },
      { name: 'all-addresses', doc: 'every address of the name', noEnvironment: true },
      { name: 'plain-port', value: 'PORT', doc: 'a port without TLS, which must refuse; 80 beside 443' },
      { name: 'rate', value: 'N', doc: 'requests a second; else 10, and as fast as it answers on loopback' },
      { name: 'max-requests', value: 'N', doc: 'else 400, or 2000 with --profile full' },
      { name: 'har', value: 'FILE', doc: 'judges the answers in a HAR file instead' },
      { name: 'captured', value: 'FILE', doc: 'judges the answers that --capture kept instead' },
      { name: 'capture', value: 'FILE', doc: 'keeps the answers, but for those to a credential' },
      { name: 'record', value: 'FILE', doc: 'keeps the result, for the posture page' },
      { name: 'sarif', value: 'FILE', doc: 'writes SARIF 2.1.0; --sarif=- to the standard output' },
      { name: 'junit', value: 'FILE', doc: 'writes JUnit XML; --junit=- to the standard output' },
      { name: 'watch', value: 'INTERVAL', doc: 'again and again, such as 1h, until it is ended' },
      {
        name: 'watch-state',
        value: 'FILE',
        doc: 'what was found last',
        fallback: '.sallyport-watch.json',
      },
      {
        name: 'on-change-webhook',
        value: 'URL',
        doc: 'gets a POST where what is found has changed',
      },
      {
        name: 'on-change-command',
        value: 'CMD',
        doc: 'is run then, the change as JSON on its standard input',
        noEnvironment: true,
      },
      json,
    ],
    run: async (...given) => (await import('./verify.ts')).verifyCommand(...given),
  },
  {
    name: 'diff',
    summary: 'say whether a policy became stronger or weaker',
    detail:
      'Compares BEFORE with AFTER, or with the policy of this directory: files, revisions of git such as main, or URLs of deployments that publish their posture. Ends with 1 where something became weaker, or incomparable, and nobody has accepted it in sallyport.accepted.json.',
    operand: 'BEFORE [AFTER]',
    options: [
      {
        name: 'accepted',
        value: 'FILE',
        doc: 'the accepted weaknesses',
        fallback: 'sallyport.accepted.json',
      },
      {
        name: 'accept',
        value: 'FINGERPRINT',
        doc: 'accept a change, with --reason, --owner and --expires',
        noEnvironment: true,
      },
      { name: 'reason', value: 'TEXT', doc: 'why it is right for now', noEnvironment: true },
      { name: 'owner', value: 'WHO', doc: 'who answers for it', noEnvironment: true },
      {
        name: 'expires',
        value: 'DAY',
        doc: 'the last day on which it holds, such as 2027-01-31',
        noEnvironment: true,
      },
      {
        name: 'log',
        doc: 'add the difference to sallyport.changes.json, for the posture page',
        noEnvironment: true,
      },
      { name: 'markdown', doc: 'write a table for the comment of a review' },
      json,
    ],
    run: async (...given) => (await import('./diff.ts')).diffCommand(...given),
  },
  {
    name: 'explain',
    summary: 'say what the policy does with one request, and why',
    detail:
      'Puts METHOD PATH to the compiled policy as if it had come: the cell that judges it, the decision of each control and the setting behind it, every line of the answer with its owner, and what another mode would change. Sends nothing.',
    operand: 'METHOD PATH',
    options: [
      {
        name: 'policy',
        value: 'FILE',
        doc: 'the policy; else sallyport.config.ts or .json of this directory',
      },
      { name: 'origin', value: 'ORIGIN', doc: 'the page that asks, such as https://evil.example' },
      { name: 'preflight', doc: 'the preflight by which a page announces it', noEnvironment: true },
      { name: 'header', value: 'LINE', doc: 'a header of the request; values are not shown', many: true },
      {
        name: 'key',
        value: 'KEY',
        doc: 'a key or token, sent as a bearer; @NAME takes it from the environment',
      },
      {
        name: 'as',
        value: 'JSON',
        doc: 'who is taken to call, such as {"organisation":"acme","role":"member"}',
        noEnvironment: true,
      },
      {
        name: 'scopes',
        value: 'LIST',
        doc: 'with which scopes: orders:read,orders:write',
        noEnvironment: true,
      },
      { name: 'peer', value: 'ADDRESS', doc: 'who connects to the listener', fallback: '203.0.113.7' },
      { name: 'plain', doc: 'the connection to the listener is not TLS', noEnvironment: true },
      { name: 'status', value: 'N', doc: 'what the application would answer', fallback: '200' },
      { name: 'answer', value: 'LINE', doc: 'a header of its answer', many: true },
      {
        name: 'place',
        value: 'PLACE',
        doc: 'where the policy runs: gateway, node or fetch',
        fallback: 'gateway',
      },
      json,
    ],
    run: async (...given) => (await import('./explain.ts')).explainCommand(...given),
  },
  {
    name: 'grade',
    summary: 'look at any server, without a policy',
    detail:
      'Sends a few requests that change nothing to URL and judges each answer by what it is: data, a page, an asset, a stream, an error, a redirect. Every finding comes with why, the line that mends it, and a curl line that shows it. Ends with 0, or with 1 where the grade is below --fail-below, or with 2 where nothing answered.',
    operand: 'URL',
    options: [
      { name: 'path', value: 'PATH', doc: 'a further path to ask for', many: true },
      {
        name: 'header',
        value: 'LINE',
        doc: 'a header of every request, such as a credential; never printed',
        many: true,
      },
      { name: 'fail-below', value: 'GRADE', doc: 'end with 1 where the grade is worse: A+, A, B, C, D or E' },
      { name: 'ca', value: 'FILE', doc: 'the certificate authority to trust, PEM' },
      { name: 'insecure', doc: 'go on where the certificate is not trusted; that is a finding' },
      { name: 'sarif', doc: 'write SARIF 2.1.0' },
      json,
    ],
    run: async (...given) => (await import('./grade.ts')).gradeCommand(...given),
  },
  {
    name: 'posture',
    summary: 'write the page that a security reviewer reads',
    detail:
      'Makes the page from FILE, or from the policy of this directory: every value, why it is so, what is left out, how to check it, and which requirements it supports. With security-txt before FILE it is about that file instead: written as the policy has it, clear-signed by gpg (--sign), or checked (--check), FILE then being a policy, a .txt file or a URL.',
    operand: '[security-txt] FILE',
    options: [
      { name: 'policy', value: 'FILE', doc: 'the policy, as FILE names it too' },
      { name: 'format', value: 'FORMAT', doc: 'html, md or json', fallback: 'html' },
      { name: 'out', value: 'FILE', doc: 'where to write it; else the standard output' },
      { name: 'audience', value: 'WHO', doc: 'public, or reviewer for all of it', fallback: 'public' },
      {
        name: 'place',
        value: 'PLACE',
        doc: 'where the policy runs: gateway, node or fetch',
        fallback: 'gateway',
      },
      { name: 'origin', value: 'URL', doc: 'the origin of the API, for the commands on the page' },
      {
        name: 'record',
        value: 'FILE',
        doc: 'the record of the last verification; else sallyport.verification.json',
      },
      {
        name: 'link',
        value: 'DAYS',
        doc: 'print the links for reviewers instead, to the page and to its data, such as 30d; with --origin, and the key in SALLYPORT_POSTURE_KEY',
        noEnvironment: true,
      },
      {
        name: 'sign',
        value: 'KEYID',
        doc: 'security-txt: clear-sign it with this key of gpg',
        noEnvironment: true,
      },
      {
        name: 'check',
        doc: 'security-txt: check fields, dates, place and signature; ends with 1 where one fails',
        noEnvironment: true,
      },
      {
        name: 'key',
        value: 'FILE',
        doc: 'security-txt: the public key of the signer; else disclosure.pgpKey of the policy',
        noEnvironment: true,
      },
      { ...json, doc: 'with --link: write the links as JSON' },
    ],
    run: async (...given) => (await import('./posture.ts')).posture(...given),
  },
  {
    name: 'attest',
    summary: 'sign what a verification proved, or check such a statement',
    detail:
      'Makes an in-toto statement of the record that verify --record keeps, and signs it (DSSE, Ed25519). With --check, looks at a signed statement instead: who signed it, whether it is about the policy and the origin that you expect, whether it has expired, whether everything held. Ends with 0, or with 1 where a check fails.',
    options: [
      { name: 'record', value: 'FILE', doc: 'the record of the verification; required, but with --check' },
      {
        name: 'key',
        value: 'FILE',
        doc: 'the Ed25519 key, PEM: the private one to sign, the public one to check; else one of its own is made in --state',
      },
      { name: 'check', value: 'FILE', doc: 'the signed statement to check' },
      {
        name: 'policy',
        value: 'FILE',
        doc: 'the policy that it must be about; else sallyport.config.ts or .json of this directory, where there is one',
      },
      { name: 'origin', value: 'URL', doc: 'with --check: the API that it must be about' },
      {
        name: 'format',
        value: 'FORMAT',
        doc: 'dsse; or, without a signature, cyclonedx (1.6) or oscal (1.1.3)',
        fallback: 'dsse',
      },
      { name: 'valid', value: 'DAYS', doc: 'how long it holds from the verification on', fallback: '30d' },
      { name: 'out', value: 'FILE', doc: 'where to write it; else the standard output' },
      { name: 'state', value: 'DIR', doc: 'where a key of its own is kept', fallback: '.sallyport' },
    ],
    run: async (...given) => (await import('./attest.ts')).attest(...given),
  },
  {
    name: 'export',
    summary: 'write the policy as configuration of another program',
    detail:
      'Writes what PLATFORM can keep of the policy, and says what it can’t. Platforms: nginx, caddy, haproxy, apache, nextjs, vercel, netlify, cloudflare.',
    operand: 'PLATFORM',
    options: [
      {
        name: 'policy',
        value: 'FILE',
        doc: 'the policy; else sallyport.config.ts or .json of this directory',
      },
      { name: 'out', value: 'DIR', doc: 'the folder to write into; else the standard output' },
      json,
    ],
    run: async (...given) => (await import('./export.ts')).exportCommand(...given),
  },
  {
    name: 'adopt',
    summary: 'write a policy from what runs already, that changes nothing',
    detail:
      'Looks at SOURCE: the URL of an API, a HAR file, or a file that exports the options of helmet, cors and express-rate-limit. Writes a policy with what every answer carries already, proves against SOURCE that it changes nothing, and lists the steps to "recommended" with what each could break. Ends with 1 where it would change something.',
    operand: 'SOURCE',
    options: [
      {
        name: 'out',
        value: 'FILE',
        doc: 'where to write it, .ts or .json, never over a file; --out=- to the standard output',
        fallback: 'sallyport.config.ts',
      },
      {
        name: 'path',
        value: 'CLASS=PATH',
        doc: 'a path that answers so, such as 200=/v1/account or error=/v1/fails',
        many: true,
      },
      { name: 'origin', value: 'URL', doc: 'an origin that CORS lists, to see what it is told', many: true },
      { name: 'ca', value: 'FILE', doc: 'the certificate authority to trust, PEM' },
      { name: 'insecure', doc: 'goes on where the certificate is not trusted', noEnvironment: true },
      json,
    ],
    run: async (...given) => (await import('./adopt.ts')).adoptCommand(...given),
  },
  {
    name: 'keys',
    summary: 'make, list, rotate and revoke API keys, and set plans',
    detail:
      'A new key is written once, to the standard output; afterwards only its digest is known. The name that keys carry, their life and the overlap of a rotation come from the policy, and scopes and plans are checked against it. "plan" tells or changes the plan of an organisation. "prove URL" makes a key, revokes it and measures for how long a deployment still takes it. "rule" prints what makes gitleaks and GitHub find keys that leaked. Works beside a gateway that has the store open.',
    operand: 'create|list|show|rotate|revoke|plan|prove|rule ID',
    options: [
      ...stored,
      {
        name: 'policy',
        value: 'FILE',
        doc: 'the policy; else sallyport.config.ts or .json of this directory',
      },
      { name: 'vendor', value: 'NAME', doc: 'the name that keys carry; else keys.vendor of the policy' },
      { name: 'organisation', value: 'NAME', doc: 'whose keys, by name or id', noEnvironment: true },
      { name: 'create-organisation', doc: 'make it where there is none', noEnvironment: true },
      { name: 'name', value: 'TEXT', doc: 'what the key is for', fallback: 'unnamed', noEnvironment: true },
      {
        name: 'kind',
        value: 'KIND',
        doc: 'secret for servers, publishable for pages and apps',
        fallback: 'secret',
        noEnvironment: true,
      },
      { name: 'environment', value: 'WORLD', doc: 'live or test', fallback: 'live', noEnvironment: true },
      { name: 'plan', value: 'PLAN', doc: "the plan; else the organisation's", noEnvironment: true },
      { name: 'scopes', value: 'LIST', doc: 'such as products:read,orders:read', noEnvironment: true },
      {
        name: 'origins',
        value: 'LIST',
        doc: 'of a publishable key: whose pages may use it',
        noEnvironment: true,
      },
      {
        name: 'networks',
        value: 'LIST',
        doc: 'from where it may be used: 192.0.2.0/24',
        noEnvironment: true,
      },
      {
        name: 'on-behalf',
        value: 'ID',
        doc: 'somebody of the organisation, whose rights bound it',
        noEnvironment: true,
      },
      {
        name: 'expires',
        value: 'TIME',
        doc: 'such as 365d, or never; else as in the policy',
        noEnvironment: true,
      },
      {
        name: 'overlap',
        value: 'TIME',
        doc: 'how long the old key lives on: 1h, at most 7d',
        noEnvironment: true,
      },
      { name: 'reason', value: 'TEXT', doc: 'why it is revoked', fallback: 'revoked', noEnvironment: true },
      {
        name: 'unused',
        value: 'DAYS',
        doc: 'list the keys that nobody used for so long, of all organisations or one',
        noEnvironment: true,
      },
      {
        name: 'expiring',
        value: 'TIME',
        doc: 'list the keys that expire within so long, such as 30d, of all organisations or one',
        noEnvironment: true,
      },
      {
        name: 'limit',
        value: 'BUCKET=N',
        doc: 'plan: a limit of its own, such as minute=5000',
        many: true,
        noEnvironment: true,
      },
      { name: 'clear', doc: 'plan: take away the limits of its own before', noEnvironment: true },
      {
        name: 'replica',
        value: 'HOST:PORT',
        doc: 'prove: one of several servers behind the name',
        many: true,
      },
      { name: 'ca', value: 'FILE', doc: 'prove: the certificate authority to trust, PEM' },
      json,
    ],
    run: async (...given) => (await import('./keys/index.ts')).keysCommand(...given),
  },
  {
    name: 'store',
    summary: 'export the records to a signed file, or import one',
    detail:
      'Writes everything the store holds to a file that either engine reads: a backup, the way to a new version of the embedded database, and the way from it to a server. An import checks the signature first, and fills a new store or nothing.',
    operand: 'export|import',
    options: [
      ...stored,
      { name: 'file', value: 'FILE', doc: 'the export', noEnvironment: true },
      {
        name: 'key',
        value: 'FILE',
        doc: 'the Ed25519 key, PEM: the private one to export, the public one to import',
      },
      json,
    ],
    run: async (...given) => (await import('./store.ts')).storeCommand(...given),
  },
  {
    name: 'backup',
    summary: 'make an encrypted backup of the records and prove it, or look at a PostgreSQL server',
    detail:
      'Without a word after it, makes a backup as of one moment, encrypted to --recipient, signed, and proved at once: restored into an empty store and compared row by row. list shows the proved ones; verify FILE proves one again with the private key; check URL looks whether a PostgreSQL server could be brought back to any moment. Ends with 1 where a backup does not hold or a server lacks something. Works beside a gateway that has the store open.',
    operand: 'list|verify FILE|check URL',
    options: [
      ...stored,
      { name: 'to', value: 'DIR', doc: 'where backups are kept', fallback: 'backups' },
      {
        name: 'recipient',
        value: 'FILE',
        doc: 'the X25519 public key, PEM, that backups are encrypted to; its private half belongs elsewhere',
      },
      { name: 'keep', value: 'N', doc: 'how many proved backups are kept', fallback: '7' },
      {
        name: 'state',
        value: 'DIR',
        doc: 'where the key that signs is kept, made with the first',
        fallback: '.sallyport',
      },
      {
        name: 'record',
        value: 'FILE',
        doc: 'keep what was proved, for the posture page',
        noEnvironment: true,
      },
      { name: 'identity', value: 'FILE', doc: 'verify: the X25519 private key, PEM', noEnvironment: true },
      {
        name: 'key',
        value: 'FILE',
        doc: 'verify: the Ed25519 public key of who made it: backup.pub of the state folder',
        noEnvironment: true,
      },
      { name: 'base-backup', value: 'DIR', doc: 'check: the newest one that pg_basebackup made' },
      { name: 'archive', value: 'DIR', doc: 'check: where the log is archived to, to look for gaps' },
      { name: 'max-age', value: 'DAYS', doc: 'check: how old a base backup may be', fallback: '8d' },
      json,
    ],
    run: async (...given) => (await import('./backup/backup.ts')).backupCommand(...given),
  },
  {
    name: 'restore',
    summary: 'make a new store from a backup',
    detail:
      'Checks who signed it, fills an empty store or nothing, and ends every session. A store that holds something is refused.',
    operand: 'FILE',
    options: [
      ...stored,
      { name: 'identity', value: 'FILE', doc: 'the X25519 private key, PEM', noEnvironment: true },
      {
        name: 'key',
        value: 'FILE',
        doc: 'the Ed25519 public key of who made it: backup.pub of the state folder',
        noEnvironment: true,
      },
      json,
    ],
    run: async (...given) => (await import('./backup/restore.ts')).restoreCommand(...given),
  },
  {
    name: 'secrets',
    summary: 'keys for encrypted fields: make one, count what each encrypts, rotate',
    detail:
      'key prints a new key for SALLYPORT_FIELD_KEY_N; count says how many fields of a column each key has encrypted; rotate encrypts them anew with the highest N, in batches, while the application goes on, and may be begun again where it was cut off. The database is at URL, or of DATABASE_URL.',
    operand: 'key|count|rotate [URL]',
    options: [
      {
        name: 'table',
        value: 'TABLE',
        doc: 'the table, such as accounts or shop.accounts',
        noEnvironment: true,
      },
      { name: 'column', value: 'NAME', doc: 'its column of type bytea', noEnvironment: true },
      {
        name: 'row',
        value: 'NAME',
        doc: 'the column of its primary key',
        fallback: 'id',
        noEnvironment: true,
      },
      json,
    ],
    run: async (...given) => (await import('./backup/secrets.ts')).secretsCommand(...given),
  },
  {
    name: 'audit',
    summary: 'read, check, prove and hand on the log of what happened',
    detail:
      'search and tail print events; verify checks every entry against what was signed, or one proof with --proof; proof INDEX prints a proof that stands alone; key prints the key that auditors check with; export writes entries for another program; prune lets those go that are older than --older-than. A store that a gateway of this machine has open is asked through the gateway.',
    operand: 'search|tail|verify|proof|key|export|prune INDEX',
    options: [
      ...stored,
      { name: 'state', value: 'DIR', doc: 'the state folder of the gateway', fallback: '.sallyport' },
      { name: 'action', value: 'NAME', doc: 'only this kind of event, such as key.refused' },
      { name: 'organisation', value: 'ID', doc: 'only events of this organisation' },
      { name: 'actor', value: 'ID', doc: 'only what this actor did' },
      { name: 'from', value: 'TIME', doc: 'from this moment: 24h, 7d or 2026-01-31T12:00:00Z' },
      { name: 'to', value: 'TIME', doc: 'up to this moment' },
      { name: 'min-risk', value: 'N', doc: 'only events of at least this risk, 0 to 100' },
      { name: 'limit', value: 'N', doc: 'so many; else 50, and 10 with tail' },
      { name: 'follow', doc: 'tail: go on with each new event', noEnvironment: true },
      {
        name: 'key',
        value: 'KEY',
        doc: 'the verifier key, or a file with it; else that of the state folder',
      },
      { name: 'proof', value: 'FILE', doc: 'verify: this proof instead of the log' },
      {
        name: 'checkpoint',
        value: 'FILE',
        doc: 'verify: the last checkpoint that an auditor saw; holds the log against it, and keeps the newest there',
      },
      { name: 'format', value: 'FORMAT', doc: 'export: jsonl, syslog or cef', fallback: 'jsonl' },
      { name: 'since', value: 'INDEX', doc: 'export: from this entry on' },
      { name: 'older-than', value: 'TIME', doc: 'prune: such as 365d, at least 1d', noEnvironment: true },
      { name: 'to-syslog', value: 'HOST:PORT', doc: 'export: to a collector over TLS (RFC 5425)' },
      { name: 'ca', value: 'FILE', doc: 'export: the certificate authority of the collector, PEM' },
      json,
    ],
    run: async (...given) => (await import('./audit/index.ts')).auditCommand(...given),
  },
  {
    name: 'doctor',
    summary: 'say whether the records are safe as they are set up',
    detail:
      'Looks at the role that logs in, the version, whether a commit reaches the disk, the schema, the clocks, and whether every row of an embedded store can be read. Ends with 1 where something is wrong. An embedded store must not be in use.',
    options: [...stored, json],
    run: async (...given) => (await import('./doctor.ts')).doctor(...given),
  },
  {
    name: 'tenancy',
    summary: 'keep the tenants of your own tables apart in PostgreSQL, and check that they are',
    detail:
      'With init, writes the SQL that hands your tables to row-level security; with check, looks in the database at URL, or of DATABASE_URL, for all that could show one tenant another’s rows: tables, policies, roles, grants, keys, views, functions. Ends with 1 where something is wrong. Of the database nothing but its catalogues is read.',
    operand: 'init|check [URL]',
    options: [
      { name: 'tables', value: 'T1,T2', doc: 'with init: your tables, such as orders,shop.customers' },
      {
        name: 'tenant-column',
        value: 'NAME',
        doc: 'the column that says whose row it is; with check, else the commonest of tenant_id, organisation_id and the like',
      },
      {
        name: 'store-column',
        value: 'NAME',
        doc: 'where rows belong to a store of an organisation: its column',
      },
      {
        name: 'tenant-type',
        value: 'TYPE',
        doc: 'with init: the type of the tenant column: text, uuid, bigint or integer',
        fallback: 'text',
      },
      {
        name: 'key-column',
        value: 'NAME',
        doc: 'with init: the column that tells rows of one tenant apart',
        fallback: 'id',
      },
      {
        name: 'app-role',
        value: 'ROLE',
        doc: 'the role that your application queries with; with check, else the logins that reach the tables',
        many: true,
      },
      {
        name: 'tenant-setting',
        value: 'NAME',
        doc: 'with check: the setting that policies compare with',
        fallback: 'app.tenant',
      },
      { name: 'schema', value: 'NAME', doc: 'with check: look at tables of this schema only', many: true },
      {
        name: 'out',
        value: 'FILE',
        doc: 'with init: where to write it, never over a file; else the standard output',
      },
      { name: 'record', value: 'FILE', doc: 'with check: keep what was found, for the posture page' },
      { name: 'sarif', value: 'FILE', doc: 'write SARIF 2.1.0; --sarif=- to the standard output' },
      { name: 'junit', value: 'FILE', doc: 'write JUnit XML; --junit=- to the standard output' },
      json,
    ],
    run: async (...given) => (await import('./tenancy/tenancy.ts')).tenancyCommand(...given),
  },
  {
    name: 'init',
    summary: 'write a first policy, with comments',
    detail: 'Writes sallyport.config.ts, or sallyport.config.json with --json. Never overwrites a file.',
    options: [
      {
        name: 'preset',
        value: 'NAME',
        doc: `what to start from: ${PRESET_NAMES.join(', ')}`,
        fallback: 'recommended',
      },
      { name: 'json', doc: 'write JSON, for teams without TypeScript', noEnvironment: true },
    ],
    run: async (...given) => (await import('./init.ts')).init(...given),
  },
]
