// The role that Sallyport logs in with: row-level security binds neither superusers nor, unless forced, owners, so a store
// is not opened with such a role.

import type pg from 'pg'
import { StoreFault } from '../fault.ts'

/** What is wrong with a login role; empty: nothing. */
export async function faultsOfRole(client: pg.ClientBase | pg.Pool): Promise<readonly string[]> {
  const { rows } = await client.query<{
    superuser: boolean
    bypass: boolean
    owner: boolean
    member: boolean
  }>(`
    select r.rolsuper as superuser, r.rolbypassrls as bypass,
      exists (
        select from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
          and pg_has_role(session_user, c.relowner, 'member')
      ) as owner,
      coalesce((select pg_has_role(session_user, a.oid, 'member') from pg_roles a where a.rolname = 'sallyport_app'), true)
        as member
    from pg_roles r where r.rolname = session_user`)
  const role = rows[0]
  // A superuser is a member of every role: one sentence is enough.
  if (role?.superuser) return ['is a superuser']
  return [
    ...(role?.bypass ? ['has BYPASSRLS'] : []),
    ...(role?.owner ? ['owns tables, or may become their owner'] : []),
    ...(role?.member === false ? ['is not a member of sallyport_app'] : []),
  ]
}

/**
 * Refuses a role that row-level security would not bind.
 *
 * @throws StoreFault `refused`
 */
export async function judgeRole(client: pg.ClientBase | pg.Pool): Promise<void> {
  const faults = await faultsOfRole(client)
  if (faults.length > 0)
    throw new StoreFault(
      'refused',
      `the store’s login role ${faults.join(' and ')}; log in with a role of its own: create role api login; grant sallyport_app to api`,
    )
}
