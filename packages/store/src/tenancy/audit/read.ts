// Reads the catalogues, in one transaction that only reads: what is judged was so at one moment.

import type { Catalogue } from './catalogue.ts'

/** A `pg` client, or whatever else runs one statement and answers with rows. */
export interface CatalogueClient {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
}

// Objects of the application: neither the system's nor an extension's.
const OWN_SCHEMAS = `n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`
const notOfExtension = (catalogue: string, oid: string) =>
  `not exists (select from pg_depend e where e.classid = '${catalogue}'::regclass and e.objid = ${oid} and e.deptype = 'e')`
const grants = (acl: string, fallback: string) =>
  `coalesce((select jsonb_agg(distinct jsonb_build_object('to', case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee) end,
     'privilege', a.privilege_type)) from aclexplode(coalesce(${acl}, ${fallback})) a), '[]')`
const columns = (numbers: string, table: string) =>
  `array(select coalesce(a.attname::text, '') from unnest(${numbers}) with ordinality u(num, at)
     left join pg_attribute a on a.attrelid = ${table} and a.attnum = u.num order by u.at)`
const named = (oid: string) =>
  `(select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = ${oid})`
const signature = (routine: string) =>
  `format('%I.%I(%s)', n.nspname, ${routine}.proname, pg_get_function_identity_arguments(${routine}.oid))`

const QUERIES: { readonly [Part in keyof Omit<Catalogue, 'version' | 'database'>]: string } = {
  relations: `
    select n.nspname || '.' || c.relname as id, n.nspname as schema, c.relname as name, c.relkind as kind,
      pg_get_userbyid(c.relowner) as owner, c.relrowsecurity as "rowSecurity", c.relforcerowsecurity as forced,
      c.relispartition as partition,
      coalesce(exists (select from unnest(c.reloptions) o where o ~ '^security_invoker=(true|on|1|yes)$'), false) as "securityInvoker",
      coalesce((select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
         'generated', a.attidentity = 'a',
         'folds', exists (select from pg_collation l where l.oid = a.attcollation and not l.collisdeterministic)) order by a.attnum)
         from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns,
      ${grants('c.relacl', `acldefault(case when c.relkind = 'S' then 's' else 'r' end::"char", c.relowner)`)}
        || coalesce((select jsonb_agg(distinct jsonb_build_object('to', case when x.grantee = 0 then 'public' else pg_get_userbyid(x.grantee) end,
          'privilege', x.privilege_type)) from pg_attribute a, aclexplode(a.attacl) x
          where a.attrelid = c.oid and not a.attisdropped), '[]') as grants,
      array(select ${named('i.inhparent')} from pg_inherits i where i.inhrelid = c.oid order by 1) as parents,
      array(select distinct ${named('d.refobjid')} from pg_rewrite r
        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
        where r.ev_class = c.oid and c.relkind in ('v', 'm') and d.refobjid <> c.oid order by 1) as reads,
      array(select ${named('d.refobjid')} from pg_depend d
        where c.relkind = 'S' and d.classid = 'pg_class'::regclass and d.objid = c.oid
          and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
        union select ${named('f.adrelid')} from pg_depend d join pg_attrdef f on f.oid = d.objid
        where c.relkind = 'S' and d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
          and d.refobjid = c.oid order by 1) as "countsFor"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and ${OWN_SCHEMAS} and ${notOfExtension('pg_class', 'c.oid')}
    order by 1`,
  policies: `
    select ${named('p.polrelid')} as table, p.polname as name, p.polcmd as command, p.polpermissive as permissive,
      array(select case when r = 0 then 'public' else pg_get_userbyid(r)::text end from unnest(p.polroles) r order by 1) as roles,
      pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check
    from pg_policy p order by 1, 2`,
  roles: `
    select r.rolname as name, r.rolcanlogin as login, r.rolsuper as superuser, r.rolbypassrls as bypass,
      r.rolcreaterole as "createsRoles", r.rolreplication as replicates,
      array(select pg_get_userbyid(m.roleid)::text from pg_auth_members m where m.member = r.oid order by 1) as "memberOf",
      array(select pg_get_userbyid(m.roleid)::text from pg_auth_members m where m.member = r.oid
        and (coalesce((to_jsonb(m) ->> 'inherit_option')::bool, true) or coalesce((to_jsonb(m) ->> 'set_option')::bool, true))
        order by 1) as "actsAs"
    from pg_roles r order by 1`,
  keys: `
    select ${named('i.indrelid')} as table, ic.relname as name,
      case when i.indisprimary then 'primary' when i.indisexclusion then 'exclusion' else 'unique' end as kind,
      exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid) as constraint,
      ${columns('i.indkey::int2[]', 'i.indrelid')} as columns
    from pg_index i join pg_class ic on ic.oid = i.indexrelid
      join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    where (i.indisunique or i.indisexclusion) and c.relkind in ('r', 'p') and ${OWN_SCHEMAS}
    order by 1, 2`,
  foreignKeys: `
    select ${named('k.conrelid')} as table, k.conname as name, ${columns('k.conkey', 'k.conrelid')} as columns,
      ${named('k.confrelid')} as target, ${columns('k.confkey', 'k.confrelid')} as "targetColumns"
    from pg_constraint k where k.contype = 'f' and k.conparentid = 0 order by 1, 2`,
  routines: `
    select n.nspname || '.' || p.proname as id, ${signature('p')} as signature, pg_get_userbyid(p.proowner) as owner,
      p.prosecdef as definer, p.proleakproof as leakproof,
      p.prorettype in ('trigger'::regtype, 'event_trigger'::regtype) as "isTrigger",
      coalesce(p.proconfig, '{}') as settings,
      array(select case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end
        from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a order by 1) as executors,
      array(select distinct lower(m[1]) from regexp_matches(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc),
        '(?:set_config\\s*\\(\\s*''|\\mset\\s+(?:local\\s+|session\\s+)?)([a-z_][a-z0-9_.]*)(?=''|\\s*=|\\s+to\\M)', 'gi') m
        order by 1) as configures,
      case when l.lanname = 'sql' and p.pronargs = 0 and p.provolatile <> 'v'
        then coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) end as body
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    where ${OWN_SCHEMAS} and ${notOfExtension('pg_proc', 'p.oid')} order by 2`,
  triggers: `
    select ${named('t.tgrelid')} as table, t.tgname as name, ${signature('p')} as signature
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid join pg_namespace n on n.oid = p.pronamespace
    where not t.tgisinternal and t.tgenabled <> 'D' order by 1, 2`,
  defaultGrants: `
    select pg_get_userbyid(d.defaclrole) as by, n.nspname as schema,
      case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee) end as to, a.privilege_type as privilege
    from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
    where d.defaclobjtype = 'r' order by 1, 2, 3, 4`,
  schemaGrants: `
    select n.nspname as schema, case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee) end as to,
      a.privilege_type as privilege
    from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    where ${OWN_SCHEMAS} order by 1, 2, 3`,
  publications: `
    select pubname as name, schemaname || '.' || tablename as table from pg_publication_tables order by 1, 2`,
  settings: `
    select coalesce(pg_get_userbyid(nullif(s.setrole, 0)), '') as role, coalesce(d.datname, '') as database,
      split_part(c, '=', 1) as name, substr(c, strpos(c, '=') + 1) as value
    from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c
    where s.setdatabase = 0 or d.datname = current_database() order by 1, 2, 3`,
}

/** Reads them. @throws the database's own errors */
export async function readCatalogue(client: CatalogueClient): Promise<Catalogue> {
  await client.query('begin transaction isolation level repeatable read read only')
  try {
    // Names are written in full where they are found in no schema but their own.
    await client.query("set local search_path = 'pg_catalog'")
    const [head] = (
      await client.query(
        `select current_setting('server_version_num')::int4 as version, current_database()::text as database`,
      )
    ).rows as [Pick<Catalogue, 'version' | 'database'>]
    const parts: Record<string, unknown> = {}
    for (const [part, text] of Object.entries(QUERIES)) parts[part] = (await client.query(text)).rows
    return { ...head, ...parts } as unknown as Catalogue
  } finally {
    await client.query('rollback')
  }
}
