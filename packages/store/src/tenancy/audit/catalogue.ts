// What PostgreSQL's catalogues say of an application's database, as plain data: objects go by `schema.name`, roles by
// their names, `public` is everybody. Nothing of a row is read.

/** A privilege, as PostgreSQL names it: `SELECT`, `TRUNCATE`, … */
export interface Grant {
  readonly to: string
  readonly privilege: string
}

/** A table, a view, a sequence. */
export interface Relation {
  readonly id: string
  readonly schema: string
  readonly name: string
  /** `pg_class.relkind`: r table, p partitioned, f foreign, v view, m materialised view, S sequence. */
  readonly kind: 'r' | 'p' | 'f' | 'v' | 'm' | 'S'
  readonly owner: string
  readonly rowSecurity: boolean
  readonly forced: boolean
  readonly partition: boolean
  readonly securityInvoker: boolean
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly generated: boolean
    /** Its collation takes different texts for the same. */
    readonly folds: boolean
  }[]
  readonly grants: readonly Grant[]
  /** Of a partition or an inheriting table. */
  readonly parents: readonly string[]
  /** Of a view: what it reads. */
  readonly reads: readonly string[]
  /** Of a sequence: the tables that it counts for, its own and those whose defaults ask it. */
  readonly countsFor: readonly string[]
}

/** A row-level policy. */
export interface Policy {
  readonly table: string
  readonly name: string
  /** `pg_policy.polcmd`: r select, a insert, w update, d delete, * all. */
  readonly command: 'r' | 'a' | 'w' | 'd' | '*'
  readonly permissive: boolean
  readonly roles: readonly string[]
  readonly using: string | null
  readonly check: string | null
}

/** A role. */
export interface Role {
  readonly name: string
  readonly login: boolean
  readonly superuser: boolean
  readonly bypass: boolean
  readonly createsRoles: boolean
  readonly replicates: boolean
  readonly memberOf: readonly string[]
  /** Those of them whose rights it has or may take at once; from PostgreSQL 16 on, who made a role is no such member. */
  readonly actsAs: readonly string[]
}

/** A primary key, a unique index or an exclusion constraint. */
interface Key {
  readonly table: string
  readonly name: string
  readonly kind: 'primary' | 'unique' | 'exclusion'
  readonly constraint: boolean
  readonly columns: readonly string[]
}

/** A foreign key. */
interface ForeignKey {
  readonly table: string
  readonly name: string
  readonly columns: readonly string[]
  readonly target: string
  readonly targetColumns: readonly string[]
}

/** A function or procedure of the application. */
export interface Routine {
  readonly id: string
  /** With its arguments, as `alter function` wants it. */
  readonly signature: string
  readonly owner: string
  readonly definer: boolean
  readonly leakproof: boolean
  readonly isTrigger: boolean
  /** `name=value` of `set` clauses. */
  readonly settings: readonly string[]
  readonly executors: readonly string[]
  /** Settings that the body names where it calls `set_config` or says `set`. */
  readonly configures: readonly string[]
  /** The body, where it is SQL without arguments and not volatile: a policy may ask it for the tenant. */
  readonly body: string | null
}

/** A trigger of the application. */
interface Trigger {
  readonly table: string
  readonly name: string
  readonly signature: string
}

/** All of it. */
export interface Catalogue {
  readonly version: number
  readonly database: string
  readonly relations: readonly Relation[]
  readonly policies: readonly Policy[]
  readonly roles: readonly Role[]
  readonly keys: readonly Key[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly routines: readonly Routine[]
  readonly triggers: readonly Trigger[]
  /** Privileges that tables get when they are made. */
  readonly defaultGrants: readonly (Grant & { readonly by: string; readonly schema: string | null })[]
  readonly schemaGrants: readonly (Grant & { readonly schema: string })[]
  readonly publications: readonly { readonly name: string; readonly table: string }[]
  /** `alter role … set`, `alter database … set`; the role is empty for all, the database likewise. */
  readonly settings: readonly {
    readonly role: string
    readonly database: string
    readonly name: string
    readonly value: string
  }[]
}
