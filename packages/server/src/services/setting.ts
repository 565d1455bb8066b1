// Where the gateway keeps what it must remember: records, counters, secrets. Places and names of environment variables;
// no secret stands in the file itself.

import {
  flag,
  type Infer,
  integer,
  list,
  object,
  type PolicyProblem,
  problem,
  record,
  text,
} from 'sallyport/settings'

const variable = text(
  {
    max: 100,
    pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
    expected: 'the name of an environment variable',
    mend: 'write a name such as "SALLYPORT_DATABASE_URL", and put the value into the environment',
  },
  'The environment variable that holds it.',
)
const place = (doc: string) =>
  text({ max: 4_096, expected: 'a path', mend: 'write a path, seen from this file' }, doc)

export const storeSchema = object(
  {
    folder: place('The folder of an embedded store: of one process, on this machine.'),
    urlFrom: variable,
    ownerUrlFrom: variable,
    connections: integer({ min: 1, max: 100, example: 10 }, 'Connections of each process to the server; 10.'),
    preparedStatements: flag('False behind a PgBouncer below 1.21 in transaction mode; true.'),
  },
  'The records: organisations, keys, failed guesses, the audit log.',
)

export const countersSchema = object(
  {
    urlFrom: variable,
    nodes: integer(
      { min: 1, max: 1_000, example: 2 },
      'How many processes share the limits, all machines together: while the server is away each lets its part through; the number of workers.',
    ),
  },
  'Counters on a Valkey or Redis server, shared by every process.',
)

export const secretsSchema = record(
  {
    pattern: /^[a-z][a-z0-9-]{0,99}$/,
    expected: 'the name of a secret in lower-case letters, digits and hyphens',
    mend: 'write a name such as "lockout"',
  },
  object(
    { from: variable, file: place('A file that holds it; only its owner may read it.') },
    'Where a secret is.',
  ),
  'Secrets by the names that the policy gives them, and "lockout" and "audit" for those of the gateway itself, which are made in the state folder where nothing is said.',
)

// What SMTP takes between its brackets without quoting (RFC 5321, section 4.1.2), and nothing that could end a line.
const mailAddress = (doc: string) =>
  text(
    {
      max: 254,
      pattern: /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}$/,
      expected: 'an address of mail',
      mend: 'write "security@example.com"',
    },
    doc,
  )

export const alertsSchema = list(
  object(
    {
      webhook: text(
        {
          max: 2_048,
          pattern:
            /^https:\/\/[^\s/?#@]{1,260}(?:[/?#]\S*)?$|^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?(?:[/?#]\S*)?$/,
          expected: 'an https URL, or an http one of this machine',
          mend: 'write "https://alerts.example.com/sallyport"',
        },
        'A URL to which each alert is posted, as JSON.',
      ),
      secretFrom: variable,
      command: list(
        text({ max: 4_096, pattern: /^[^\0]+$/, expected: 'a word', mend: 'write it in quotes' }, 'A word.'),
        'A program and its arguments, run for each alert without a shell; the alert is its standard input, as JSON.',
        { min: 1, max: 50 },
      ),
      mail: object(
        {
          host: text(
            { pattern: /^[A-Za-z0-9.:-]{1,253}$/, expected: 'a host name', mend: 'write "smtp.example.com"' },
            'The submission server; it is spoken to over TLS from the first byte.',
          ),
          port: integer({ min: 1, max: 65_535, example: 465 }, 'Its port; 465.'),
          from: mailAddress('Who sends it.'),
          to: mailAddress('Who gets it.'),
          user: text(
            {
              max: 200,
              pattern: /^[^\p{Cc}]+$/u,
              expected: 'a user',
              mend: 'write it as the server knows it',
            },
            'Who signs in there; nobody where it is left out.',
          ),
          passwordFrom: variable,
        },
        'Somebody who gets each alert as a mail.',
      ),
    },
    'Somebody who is told: a webhook, signed as Standard Webhooks with the secret of secretFrom, a command, or by mail.',
  ),
  'Who is told where the policy’s audit.risk says "alert".',
  { max: 10 },
)

export const backupsSchema = object(
  {
    folder: place('Where backups are kept: another disk, or a folder that is copied away.'),
    recipient: place(
      'The X25519 public key, PEM, that they are encrypted to; its private half belongs on another machine.',
    ),
  },
  'Encrypted backups of the records, made and proved on the schedule of the policy: its backup.everySeconds and keep.',
)

export type BackupsSetting = Infer<typeof backupsSchema>
export type AlertsSetting = Infer<typeof alertsSchema>
export type StoreSetting = Infer<typeof storeSchema>
export type CountersSetting = Infer<typeof countersSchema>
export type SecretsSetting = Infer<typeof secretsSchema>

/** Where things are kept, as the configuration says it; can be sent to another process. */
export interface PlacesSetting {
  readonly store?: StoreSetting
  readonly counters?: CountersSetting
  readonly secrets?: SecretsSetting
  readonly alerts?: AlertsSetting
  readonly backups?: BackupsSetting
}

/** Places as they may be shown: the path of a webhook is often a secret. */
export function shownPlaces({ alerts, ...places }: PlacesSetting): PlacesSetting {
  if (alerts === undefined) return places
  return {
    ...places,
    alerts: alerts.map((alert) =>
      alert.webhook === undefined ? alert : { ...alert, webhook: new URL(alert.webhook).origin },
    ),
  }
}

/** What is contradictory in them. */
export function placesProblems(
  { store, counters, secrets, alerts, backups }: PlacesSetting,
  workers: number,
): PolicyProblem[] {
  const problems: PolicyProblem[] = []
  if (store) {
    if (store.folder !== undefined && store.urlFrom !== undefined)
      problems.push(problem('store', 'contradiction', 'a folder and a server', store, 'keep one of them'))
    if (store.folder === undefined && store.urlFrom === undefined)
      problems.push(
        problem(
          'store',
          'missing',
          'neither a folder nor a server',
          store,
          'write { folder: ".sallyport/store" }',
        ),
      )
    if (store.folder !== undefined && workers > 1)
      problems.push(
        problem(
          'store.folder',
          'contradiction',
          `an embedded store belongs to one process, and there are ${workers} workers`,
          store.folder,
          'name a PostgreSQL server with urlFrom, or write workers: 1',
        ),
      )
  }
  if (counters && counters.urlFrom === undefined)
    problems.push(
      problem('counters', 'missing', 'no server here', counters, 'write { urlFrom: "SALLYPORT_VALKEY_URL" }'),
    )
  for (const [name, secret] of Object.entries(secrets ?? {}))
    if ((secret.from === undefined) === (secret.file === undefined))
      problems.push(
        problem(
          `secrets.${name}`,
          'contradiction',
          'expected one of "from" and "file"',
          secret,
          'keep one of them',
        ),
      )
  problems.push(...alertsProblems(alerts ?? [], store), ...backupsProblems(backups, store))
  return problems
}

function backupsProblems(
  backups: BackupsSetting | undefined,
  store: StoreSetting | undefined,
): PolicyProblem[] {
  if (backups === undefined) return []
  const { folder, recipient } = backups
  if (folder === undefined || recipient === undefined)
    return [
      problem(
        'backups',
        'missing',
        folder === undefined ? 'no folder here' : 'nobody here to whom they are encrypted',
        backups,
        'write { folder: "backups", recipient: "backup.recipient" }; make the key elsewhere: openssl genpkey -algorithm x25519',
      ),
    ]
  return store === undefined
    ? [problem('backups', 'contradiction', 'there are no records to back up', backups, 'name a store')]
    : []
}

function alertsProblems(alerts: AlertsSetting, store: StoreSetting | undefined): PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const wrong = (path: string, message: string, received: unknown, mend: string) =>
    problems.push(problem(path, 'contradiction', message, received, mend))
  for (const [index, { webhook, secretFrom, command, mail }] of alerts.entries()) {
    const path = `alerts[${index}]`
    // A webhook's address may be a secret, and is not repeated.
    if ([webhook, command, mail].filter((one) => one !== undefined).length !== 1)
      wrong(path, 'expected one of "webhook", "command" and "mail"', undefined, 'keep one of them')
    if (mail && (mail.host === undefined || mail.from === undefined || mail.to === undefined))
      wrong(`${path}.mail`, 'a mail needs a server, a sender and a receiver', mail, 'write host, from and to')
    if (mail && (mail.user === undefined) !== (mail.passwordFrom === undefined))
      wrong(
        `${path}.mail`,
        'who signs in has a name and a password',
        mail.user,
        'write user and passwordFrom, or neither',
      )
    if (secretFrom !== undefined && webhook === undefined)
      wrong(`${path}.secretFrom`, 'signs what a webhook gets', secretFrom, 'leave it out')
  }
  if (alerts.length > 0 && store === undefined)
    wrong('alerts', 'follow from the audit log, which needs a store', undefined, 'name a store')
  return problems
}
