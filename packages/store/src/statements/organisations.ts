// Organisations, their plans and their stores.

import { statement } from '../statement.ts'

const organisation = {
  id: 'text',
  name: 'text',
  plan: 'text',
  plan_overrides: 'jsonb?',
  created_at: 'timestamptz',
  disabled_at: 'timestamptz?',
} as const

export const organisationInsert = statement(
  'organisation_insert',
  ['text', 'text', 'text', 'jsonb?'],
  organisation,
  `insert into organisations (id, name, plan, plan_overrides) values ($1, $2, $3, $4)
   returning id, name, plan, plan_overrides, created_at, disabled_at`,
)

export const organisationById = statement(
  'organisation_by_id',
  ['text'],
  organisation,
  'select id, name, plan, plan_overrides, created_at, disabled_at from organisations where id = $1',
)

/** By name; names are not unique, so two may come. */
export const organisationByName = statement(
  'organisation_by_name',
  ['text'],
  organisation,
  `select id, name, plan, plan_overrides, created_at, disabled_at from organisations
   where name = $1 order by created_at, id limit 2`,
)

export const organisationList = statement(
  'organisation_list',
  ['text', 'int8'],
  organisation,
  `select id, name, plan, plan_overrides, created_at, disabled_at from organisations
   where id > $1 order by id limit $2`,
)

/** Changes the plan and tells every node: the plan is cached with the organisation. */
export const organisationPlan = statement(
  'organisation_plan',
  ['text', 'text', 'jsonb?'],
  { seq: 'int8' },
  `with changed as (
     update organisations set plan = $2, plan_overrides = $3 where id = $1 returning id
   ), head as (
     update revocation_head set seq = seq + 1 where exists (select from changed) returning seq
   )
   insert into revocations (seq, subject_kind, subject_id, reason)
   select head.seq, 'organisation', changed.id, 'plan' from head, changed
   returning seq`,
)

/** Disables an organisation: its keys are refused on every node. */
export const organisationDisable = statement(
  'organisation_disable',
  ['text', 'text'],
  { seq: 'int8' },
  `with changed as (
     update organisations set disabled_at = now() where id = $1 and disabled_at is null returning id
   ), head as (
     update revocation_head set seq = seq + 1 where exists (select from changed) returning seq
   )
   insert into revocations (seq, subject_kind, subject_id, reason)
   select head.seq, 'organisation', changed.id, $2 from head, changed
   returning seq`,
)

export const storeInsert = statement(
  'store_insert',
  ['text', 'text', 'text'],
  { id: 'text' },
  'insert into stores (tenant_id, id, name) values ($1, $2, $3) returning id',
)

export const storeList = statement(
  'store_list',
  [],
  { tenant_id: 'text', id: 'text', name: 'text', created_at: 'timestamptz' },
  'select tenant_id, id, name, created_at from stores order by id',
)

export const principalInsert = statement(
  'principal_insert',
  ['text', 'text', 'text', 'text', 'text', '_text'],
  { id: 'text' },
  `insert into principals (tenant_id, id, kind, name, role, scopes) values ($1, $2, $3, $4, $5, $6)
   returning id`,
)

export const principalById = statement(
  'principal_by_id',
  ['text'],
  {
    tenant_id: 'text',
    id: 'text',
    kind: 'text',
    name: 'text',
    role: 'text',
    scopes: '_text',
    disabled_at: 'timestamptz?',
  },
  'select tenant_id, id, kind, name, role, scopes, disabled_at from principals where id = $1',
)

/** Changes what somebody may do, for all keys and sessions made before: id, role, scopes, whether disabled. */
export const principalChange = statement(
  'principal_change',
  ['text', 'text', '_text', 'bool'],
  { seq: 'int8' },
  `with changed as (
     update principals set role = $2, scopes = $3,
       disabled_at = case when $4 then coalesce(disabled_at, now()) end
     where id = $1 returning id
   ), head as (
     update revocation_head set seq = seq + 1 where exists (select from changed) returning seq
   )
   insert into revocations (seq, subject_kind, subject_id, reason)
   select head.seq, 'principal', changed.id, 'rights' from head, changed
   returning seq`,
)

export const settingPut = statement(
  'setting_put',
  ['text', 'text', 'jsonb'],
  { updated_at: 'timestamptz' },
  `insert into settings (tenant_id, name, value) values ($1, $2, $3)
   on conflict (tenant_id, name) do update set value = excluded.value, updated_at = now()
   returning updated_at`,
)

export const settingGet = statement(
  'setting_get',
  ['text'],
  { value: 'jsonb', updated_at: 'timestamptz' },
  'select value, updated_at from settings where name = $1',
)

/** Notes a secret's label, or finds that another one is noted already: no row. */
export const sharedSecretPut = statement(
  'shared_secret_put',
  ['text', 'text'],
  { name: 'text' },
  `with fresh as (
     insert into shared_secrets (name, label) values ($1, $2) on conflict (name) do nothing returning name, label
   )
   select name from fresh union all select name from shared_secrets where name = $1 and label = $2 limit 1`,
)
