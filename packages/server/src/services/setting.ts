// Where the gateway keeps what it must remember: records, counters, secrets. Places and names of environment variables;
// no secret stands in the file itself.

import {
  flag,
  type Infer,
  integer,
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

export type StoreSetting = Infer<typeof storeSchema>
export type CountersSetting = Infer<typeof countersSchema>
export type SecretsSetting = Infer<typeof secretsSchema>

/** Where things are kept, as the configuration says it; can be sent to another process. */
export interface PlacesSetting {
  readonly store?: StoreSetting
  readonly counters?: CountersSetting
  readonly secrets?: SecretsSetting
}

/** What is contradictory in them. */
export function placesProblems(
  { store, counters, secrets }: PlacesSetting,
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
  return problems
}
