// API keys: only digests are stored. Whatever ends a key adds to the revocations in the same statement, so that no node
// can miss it.

import { statement } from '../statement.ts'

const key = {
  id: 'text',
  organisation_id: 'text',
  store_id: 'text?',
  name: 'text',
  kind: 'text',
  environment: 'text',
  display: 'text',
  plan: 'text?',
  scopes: '_text',
  origins: '_text',
  cidrs: '_text',
  owner_id: 'text?',
  created_by: 'text',
  created_at: 'timestamptz',
  expires_at: 'timestamptz?',
  revoked_at: 'timestamptz?',
  revoked_reason: 'text?',
  last_used_at: 'timestamptz?',
} as const
const names = Object.keys(key)
  .map((name) => `k.${name}`)
  .join(', ')

/** A key and its first generation; the last parameters are the digest, its pepper's version, whose rights bound it, by which request. */
export const keyInsert = statement(
  'key_insert',
  [
    'text',
    'text',
    'text?',
    'text',
    'text',
    'text',
    'text',
    'text?',
    '_text',
    '_text',
    '_text',
    'text',
    'timestamptz?',
    'bytea',
    'int4',
    'text?',
    'bytea?',
  ],
  { created_at: 'timestamptz' },
  `with k as (
     insert into api_keys (id, organisation_id, store_id, name, kind, environment, display, plan,
       scopes, origins, cidrs, created_by, expires_at, owner_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $16) returning id, created_at
   ), g as (
     insert into api_key_generations (key_id, generation, digest, pepper_version, request)
     select id, 1, $14, $15, $17 from k returning key_id
   )
   select k.created_at from k, g`,
)

/**
 * The one look-up of a presented key, by its digest under each pepper; the caller compares the digest again in constant
 * time and judges the dates.
 */
export const keyByDigest = statement(
  'key_by_digest',
  ['_bytea'],
  {
    ...key,
    digest: 'bytea',
    generation: 'int4',
    pepper_version: 'int4',
    ends_at: 'timestamptz?',
    replaced_at: 'timestamptz?',
    organisation_plan: 'text',
    organisation_overrides: 'jsonb?',
    organisation_disabled_at: 'timestamptz?',
  },
  `select ${names}, g.digest, g.generation, g.pepper_version, g.ends_at,
     (select min(n.created_at) from api_key_generations n where n.key_id = g.key_id and n.generation > g.generation)
       as replaced_at, o.plan as organisation_plan,
     o.plan_overrides as organisation_overrides, o.disabled_at as organisation_disabled_at
   from api_key_generations g
   join api_keys k on k.id = g.key_id
   join organisations o on o.id = k.organisation_id
   where g.digest = any ($1)`,
)

export const keyById = statement(
  'key_by_id',
  ['text', 'text'],
  { ...key, generation: 'int4' },
  `select ${names}, (select max(g.generation) from api_key_generations g where g.key_id = k.id) as generation
   from api_keys k where k.organisation_id = $1 and k.id = $2`,
)

/** A page of an organisation's keys, newest first; the page goes on from a creation time and id. */
export const keyList = statement(
  'key_list',
  ['text', 'timestamptz', 'text', 'int8'],
  key,
  `select ${names} from api_keys k
   where k.organisation_id = $1 and (k.created_at, k.id) < ($2, $3)
   order by k.created_at desc, k.id desc limit $4`,
)

/** The key that a request made or rotated. */
export const keyByRequest = statement(
  'key_by_request',
  ['text', 'bytea'],
  { id: 'text' },
  `select k.id from api_key_generations g join api_keys k on k.id = g.key_id
   where k.organisation_id = $1 and g.request = $2`,
)

/** A page of the keys of an organisation, or of one store of it, newest first; it goes on behind a key. */
export const keyPage = statement(
  'key_page',
  ['text', 'text?', 'text?', 'int8'],
  { ...key, generation: 'int4' },
  `select ${names}, (select max(g.generation) from api_key_generations g where g.key_id = k.id) as generation
   from api_keys k
   where k.organisation_id = $1 and ($2::text is null or k.store_id = $2)
     and ($3::text is null or (k.created_at, k.id) <
       (select b.created_at, b.id from api_keys b where b.organisation_id = $1 and b.id = $3))
   order by k.created_at desc, k.id desc limit $4`,
)

/** Keys that expire between two times and were not revoked, the next first. */
export const keysExpiring = statement(
  'keys_expiring',
  ['timestamptz', 'timestamptz', 'int8'],
  key,
  `select ${names} from api_keys k
   where k.revoked_at is null and k.expires_at >= $1 and k.expires_at < $2
   order by k.expires_at, k.id limit $3`,
)

/** Keys that live and were not used since a time, nor made since, the longest unused first. */
export const keysUnused = statement(
  'keys_unused',
  ['timestamptz', 'int8'],
  key,
  `select ${names} from api_keys k
   where k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
     and coalesce(k.last_used_at, k.created_at) < $1
   order by coalesce(k.last_used_at, k.created_at), k.id limit $2`,
)

/**
 * Gives a key its next generation: key, digest, pepper version, display, seconds that the one before lives on, when the
 * key expires from now on (null: as before), by which request. Answers nothing where the key is revoked, expired or unknown. The generation
 * before never outlives what its expiry was; with an overlap of 0 it is at its end when this commits.
 */
export const keyRotate = statement(
  'key_rotate',
  ['text', 'bytea', 'int4', 'text', 'int4', 'timestamptz?', 'bytea?'],
  { generation: 'int4', seq: 'int8', before_ends_at: 'timestamptz' },
  `with k as (
     select id, expires_at from api_keys
     where id = $1 and revoked_at is null and (expires_at is null or expires_at > now()) for update
   ), changed as (
     update api_keys set display = $4, expires_at = coalesce($6, api_keys.expires_at) from k where api_keys.id = k.id
   ), before as (
     -- All but the newest end now, so that at most two generations live.
     update api_key_generations g
     set ends_at = least(
       g.ends_at, k.expires_at,
       now() + case when g.generation = (select max(n.generation) from api_key_generations n where n.key_id = k.id)
         then make_interval(secs => $5::int4) else interval '0' end)
     from k where g.key_id = k.id returning g.generation, g.ends_at
   ), next as (
     insert into api_key_generations (key_id, generation, digest, pepper_version, request)
     select k.id, (select max(generation) from before) + 1, $2, $3, $7 from k returning generation, key_id
   ), head as (
     update revocation_head set seq = seq + 1 where exists (select from next) returning seq
   ), told as (
     insert into revocations (seq, subject_kind, subject_id, reason)
     select head.seq, 'key', next.key_id, 'rotated' from head, next returning seq
   )
   select next.generation, told.seq, (select max(before.ends_at) from before) as before_ends_at from next, told`,
)

/** Revokes a key of an organisation; answers nothing where there was nothing to revoke. */
export const keyRevoke = statement(
  'key_revoke',
  ['text', 'text', 'text'],
  { seq: 'int8' },
  `with changed as (
     update api_keys set revoked_at = now(), revoked_reason = $3
     where organisation_id = $1 and id = $2 and revoked_at is null returning id
   ), head as (
     update revocation_head set seq = seq + 1 where exists (select from changed) returning seq
   )
   insert into revocations (seq, subject_kind, subject_id, reason)
   select head.seq, 'key', changed.id, $3 from head, changed
   returning seq`,
)

/** Last uses of many keys at once; a time never goes backwards. */
export const keysUsed = statement(
  'keys_used',
  ['_text', '_timestamptz'],
  { updated: 'int4' },
  `with changed as (
     update api_keys k set last_used_at = greatest(k.last_used_at, used.at)
     from unnest($1::text[], $2::timestamptz[]) as used (id, at)
     where k.id = used.id returning k.id
   )
   select count(*)::int4 as updated from changed`,
)

export const revocationsSince = statement(
  'revocations_since',
  ['int8', 'int8'],
  { seq: 'int8', subject_kind: 'text', subject_id: 'text', reason: 'text', at: 'timestamptz' },
  `select seq, subject_kind, subject_id, reason, at from revocations where seq > $1 order by seq limit $2`,
)

/** What ended after a number, up to so many, each beside the last number there is: a row of nothing where there is none. */
export const revocationNews = statement(
  'revocation_news',
  ['int8', 'int8'],
  { head: 'int8', seq: 'int8?', subject_kind: 'text?', subject_id: 'text?' },
  `select h.seq as head, r.seq, r.subject_kind, r.subject_id from revocation_head h left join lateral (
     select seq, subject_kind, subject_id from revocations where seq > $1 order by seq limit $2
   ) r on true order by r.seq`,
)

export const revocationHead = statement(
  'revocation_head',
  [],
  { seq: 'int8' },
  'select seq from revocation_head',
)

/** Whether any key is stored: then the secret that they were stored with must be there. */
export const keysPresent = statement(
  'keys_present',
  [],
  { present: 'bool' },
  'select exists (select from api_key_generations) as present',
)

export const pepperVersionPut = statement(
  'pepper_version_put',
  ['int4', 'text'],
  { version: 'int4' },
  `insert into pepper_versions (version, secret_name) values ($1, $2)
   on conflict (version) do update set retired_at = null
   where pepper_versions.secret_name = excluded.secret_name
   returning version`,
)
