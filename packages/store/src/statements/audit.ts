// The audit log. A batch is one statement: it moves the head on from exactly where the writer believed it to be, or does
// nothing at all.

import { statement } from '../statement.ts'

export const auditHead = statement(
  'audit_head',
  [],
  { size: 'int8', frontier: 'bytea' },
  'select size, frontier from audit_head',
)

/**
 * Adds a batch: size before and after, frontier after; of the entries uids in lines, times in milliseconds, tenants (empty:
 * none), actions in lines, actors, risks (-1: none), texts in lines; of full tiles levels, indices, hashes, roots; of personal facts indices, names, salts, values. No row:
 * another writer was first.
 */
export const auditAppend = statement(
  'audit_append',
  [
    'int8',
    'int8',
    'bytea',
    'text',
    '_int8',
    '_text',
    'text',
    '_text',
    '_int4',
    'text',
    '_int4',
    '_int8',
    '_bytea',
    '_bytea',
    '_int8',
    '_text',
    '_bytea',
    '_text',
  ],
  { size: 'int8' },
  `with head as (
     update audit_head set size = $2, frontier = $3 where size = $1 returning size
   ), entries as (
     insert into audit_entries (index, uid, at, tenant, action, actor, risk, entry)
     select $1 + e.n - 1, e.uid, to_timestamp(e.at / 1000.0), nullif(e.tenant, ''), e.action, nullif(e.actor, ''), nullif(e.risk, -1), e.entry
     from head, rows from (
       string_to_table($4, E'\\n'), unnest($5::int8[]), unnest($6::text[]), string_to_table($7, E'\\n'),
       unnest($8::text[]), unnest($9::int4[]), string_to_table($10, E'\\n')
     ) with ordinality as e (uid, at, tenant, action, actor, risk, entry, n)
     returning 1
   ), tiles as (
     insert into audit_tiles (level, index, hashes, root)
     select t.level, t.index, t.hashes, t.root
     from head, unnest($11::int4[], $12::int8[], $13::bytea[], $14::bytea[]) as t (level, index, hashes, root)
     returning 1
   ), personal as (
     insert into audit_personal (index, name, salt, value)
     select p.index, p.name, p.salt, p.value
     from head, unnest($15::int8[], $16::text[], $17::bytea[], $18::text[]) as p (index, name, salt, value) returning 1
   )
   select size from head`,
)

/** Which of these entries are in the log already: a batch whose answer was lost. */
export const auditKnown = statement(
  'audit_known',
  ['_text'],
  { uid: 'text' },
  'select uid from audit_entries where uid = any ($1)',
)

/** The last entry of each of these tenants. */
export const auditLastOf = statement(
  'audit_last_of',
  ['_text'],
  { tenant: 'text', index: 'int8' },
  `select t.tenant, l.index from unnest($1::text[]) as t (tenant)
   cross join lateral (
     select e.index from audit_entries e where e.tenant = t.tenant order by e.index desc limit 1
   ) l`,
)

/** Entries from an index on, in order, at most so many. */
export const auditEntriesFrom = statement(
  'audit_entries_from',
  ['int8', 'int8'],
  { index: 'int8', entry: 'text' },
  'select index, entry from audit_entries where index >= $1 order by index limit $2',
)

/** The same, with the columns that search and retention go by; times in milliseconds since the epoch. */
export const auditRowsFrom = statement(
  'audit_rows_from',
  ['int8', 'int8'],
  {
    index: 'int8',
    uid: 'text',
    at: 'int8?',
    tenant: 'text?',
    action: 'text',
    actor: 'text?',
    risk: 'int4?',
    entry: 'text',
  },
  `select index, uid, round(date_part('epoch', at) * 1000)::int8 as at, tenant, action, actor, risk, entry
   from audit_entries where index >= $1 order by index limit $2`,
)

/**
 * Entries below an index, newest first: tenant, action, actor (empty: any), from and up to a time, lowest risk, at most so
 * many.
 */
export const auditSearch = statement(
  'audit_search',
  ['int8', 'text', 'text', 'text', 'timestamptz', 'timestamptz', 'int4', 'int8'],
  { index: 'int8', entry: 'text' },
  `select index, entry from audit_entries
   where index < $1 and ($2 = '' or tenant = $2) and ($3 = '' or action = $3) and ($4 = '' or actor = $4)
     and at >= $5 and at < $6 and ($7 <= 0 or risk >= $7)
   order by index desc limit $8`,
)

export const auditTile = statement(
  'audit_tile',
  ['int4', 'int8'],
  { hashes: 'bytea' },
  'select hashes from audit_tiles where level = $1 and index = $2',
)

/** The roots of a level's tiles from one index up to another. */
export const auditTileRoots = statement(
  'audit_tile_roots',
  ['int4', 'int8', 'int8'],
  { root: 'bytea' },
  'select root from audit_tiles where level = $1 and index >= $2 and index < $3 order by index',
)

/** A level's tiles from one index up to another. */
export const auditTiles = statement(
  'audit_tiles',
  ['int4', 'int8', 'int8'],
  { index: 'int8', hashes: 'bytea' },
  'select index, hashes from audit_tiles where level = $1 and index >= $2 and index < $3 order by index',
)

export const auditCheckpointPut = statement(
  'audit_checkpoint_put',
  ['int8', 'text'],
  { size: 'int8' },
  `insert into audit_checkpoints (size, note) values ($1, $2) on conflict (size) do nothing returning size`,
)

export const auditCheckpointLast = statement(
  'audit_checkpoint_last',
  [],
  { size: 'int8', note: 'text' },
  'select size, note from audit_checkpoints order by size desc limit 1',
)

/** The personal facts of entries. */
export const auditPersonal = statement(
  'audit_personal',
  ['_int8'],
  { index: 'int8', name: 'text', salt: 'bytea', value: 'text' },
  'select index, name, salt, value from audit_personal where index = any ($1) order by index, name',
)

/** Forgets the personal facts of a tenant's entries that hold this value. */
export const auditForget = statement(
  'audit_forget',
  ['text', 'text'],
  { forgotten: 'int4' },
  `with gone as (
     delete from audit_personal p using audit_entries e
     where e.index = p.index and e.tenant = $1 and p.value = $2 returning 1
   )
   select count(*)::int4 as forgotten from gone`,
)

/** The signed notes of the log, oldest first. */
export const auditCheckpoints = statement(
  'audit_checkpoints',
  ['int8', 'int8'],
  { size: 'int8', note: 'text' },
  'select size, note from audit_checkpoints where size > $1 order by size limit $2',
)

/** The first entry that is not older. */
export const auditFirstSince = statement(
  'audit_first_since',
  ['timestamptz'],
  { index: 'int8' },
  'select index from audit_entries where at >= $1 order by index limit 1',
)

/** Removes the entries below an index, all older than a moment, with a signed note. How many went. */
export const auditPrune = statement(
  'audit_prune',
  ['int8', 'timestamptz', 'text'],
  { gone: 'int8' },
  'select audit_prune($1, $2, $3) as gone',
)

/** What was removed, from the first entry on. */
export const auditPrunings = statement(
  'audit_prunings',
  [],
  { from_index: 'int8', to_index: 'int8', note: 'text' },
  'select from_index, to_index, note from audit_pruned order by from_index',
)
