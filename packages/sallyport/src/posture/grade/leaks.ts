// What a body tells that it should not: frames of a stack, words of a database, paths of a disk, secrets. Every
// expression is linear: no repetition that can match the same text in two ways.

import { textsOf } from './decode.ts'

/** The families of what leaks. */
export type LeakKind =
  | 'stack'
  | 'database'
  | 'path'
  | 'secret'
  | 'system'
  | 'debug-page'
  | 'version'
  | 'source'

/** One thing that a body tells. */
export interface Leak {
  readonly kind: LeakKind
  /** What it was taken for: `a Java stack frame`. */
  readonly what: string
  /** The beginning of the text, secrets masked. */
  readonly sample: string
}

interface Mark {
  readonly kind: LeakKind
  readonly what: string
  readonly expression: RegExp
  /** The match is a secret, so only its beginning is shown. */
  readonly secret?: true
}

const mark = (kind: LeakKind, what: string, expression: RegExp, secret?: true): Mark => ({
  kind,
  what,
  expression,
  ...(secret ? { secret } : {}),
})

const STACKS = [
  mark(
    'stack',
    'a V8 stack frame',
    // A bare path with words after it is a sentence: "at /v1/keys: people …".
    /^[ \t]{0,8}at (?:async )?(?!\/[^\s]{0,200} [A-Za-z])[\w$.<>[\] ]{0,120}\(?(?:file:\/\/|node:|[A-Za-z]:\\|\/|webpack|<anonymous>|eval|native)[^\n]{0,200}/m,
  ),
  mark(
    'stack',
    'a Firefox or Safari stack frame',
    /^[\w$.<>/*]{0,80}@(?:https?|file|resource):\/\/[^\s]{1,200}:\d{1,6}:\d{1,6}$/m,
  ),
  mark(
    'stack',
    'a Python traceback',
    /Traceback \(most recent call last\)|^[ \t]{0,8}File "[^"\n]{1,200}", line \d{1,6}(?:, in |$)/m,
  ),
  mark(
    'stack',
    'a Java stack frame',
    /^[ \t]{0,8}at (?:[\w$-]{1,60}[./]){2,12}[\w$<>]{1,60}\((?:[\w$]{1,80}\.(?:java|kt|scala|groovy)(?::\d{1,6})?|Native Method|Unknown Source)\)/m,
  ),
  mark(
    'stack',
    'a Java exception',
    /\b(?:java|javax|jakarta|kotlin|scala|org\.(?:springframework|hibernate|apache))(?:\.[a-z][\w$]{0,60}){0,8}\.[A-Z][\w$]{0,60}(?:Exception|Error)\b/,
  ),
  mark(
    'stack',
    'a .NET stack frame',
    /^[ \t]{0,8}at (?:[\w`<>]{1,60}\.){1,12}[\w`<>.[\]]{1,80}\([^)\n]{0,200}\)(?: in [^\n]{1,200}:line \d{1,6})?[ \t\r]{0,3}$/m,
  ),
  mark('stack', 'a .NET exception', /\bSystem\.(?:[A-Z]\w{0,40}\.){0,4}[A-Z]\w{0,40}Exception\b/),
  mark(
    'stack',
    'a PHP error',
    /\b(?:Fatal error|Parse error|Warning|Notice|Deprecated)\b:[^\n]{1,300} in \/?[^\n]{1,200}\.php(?: on line \d|:\d)|^#\d{1,3} \/?[^\n]{1,200}\.php\(\d{1,6}\): /m,
  ),
  mark('stack', 'a Ruby stack frame', /\w\.rb:\d{1,6}:in [`'][^'`\n]{1,120}'/),
  mark(
    'stack',
    'a Go panic',
    /\bgoroutine \d{1,9} \[[a-z ,0-9]{1,40}\]:|^\t\/?[^\s]{1,200}\.go:\d{1,6}(?: \+0x[0-9a-f]{1,16})?|\bpanic: (?:runtime error|interface conversion)/m,
  ),
  mark(
    'stack',
    'a Rust panic',
    /thread '[^'\n]{1,60}' panicked at |^[ \t]{0,8}\d{1,3}: (?:0x[0-9a-f]{4,16} - )?(?:core|std|tokio|actix|alloc)::[\w:]{1,100}/m,
  ),
  mark(
    'stack',
    'an Erlang or Elixir stack frame',
    /\*\* \((?:[A-Z]\w{0,40}\.?){1,5}Error\)|^[ \t]{0,8}\([a-z_]{1,40} [\d.]{1,12}\) lib\/[^\s]{1,120}\.ex:\d{1,6}/m,
  ),
]

const DATABASES = [
  mark(
    'database',
    'a PostgreSQL message',
    /\b(?:duplicate key value violates unique constraint|violates (?:foreign key|check|not-null|exclusion) constraint|new row violates row-level security policy|null value in column "|relation "[^"\n]{1,80}" does not exist|column "?[\w.]{1,80}"? (?:of relation "[^"\n]{1,80}" )?does not exist|syntax error at or near "|invalid input syntax for (?:type )?\w|permission denied for (?:table|relation|schema|sequence)|deadlock detected|could not serialize access|canceling statement due to|remaining connection slots are reserved|password authentication failed for user "|current transaction is aborted|value too long for type character)/,
  ),
  mark(
    'database',
    'fields of a PostgreSQL error',
    /^(?:routine: (?:_bt_|ExecConstraints|errorMissingColumn|parserOpenTable|scanner_yyerror|exec_|auth_failed|RI_)[\w]{0,60}|sqlState: [0-9A-Z]{5}|sqlstate: [0-9A-Z]{5}|SQLSTATE: [0-9A-Z]{5})$/m,
  ),
  mark('database', 'an SQLSTATE', /\bSQLSTATE\s?\[?\(?[0-9A-Z]{5}\b/),
  mark(
    'database',
    'a MySQL message',
    /\bYou have an error in your SQL syntax\b|\bER_[A-Z_]{4,40}\b|\bDuplicate entry '[^'\n]{0,80}' for key '|\bUnknown column '[^'\n]{1,80}' in '|\bTable '[^'\n]{1,80}\.[^'\n]{1,80}' doesn't exist\b|\bAccess denied for user '[^'\n]{1,60}'@'/,
  ),
  mark(
    'database',
    'an SQLite message',
    /\bSQLITE_[A-Z]{4,30}\b|\b(?:UNIQUE|NOT NULL|FOREIGN KEY|CHECK) constraint failed\b|\bno such (?:table|column): \w|\bdatabase disk image is malformed\b|near "[^"\n]{1,40}": syntax error/,
  ),
  mark(
    'database',
    'an SQL Server message',
    /\bUnclosed quotation mark after the character string\b|\bViolation of (?:PRIMARY|UNIQUE) KEY constraint\b|\bIncorrect syntax near '|\bInvalid (?:column|object) name '|\bMicrosoft (?:OLE DB Provider|SQL Server Native Client|ODBC)\b/,
  ),
  mark('database', 'an Oracle message', /\bORA-\d{5}\b|\bPLS-\d{5}\b/),
  mark(
    'database',
    'a MongoDB message',
    /\bE11000 duplicate key error\b|\bMongo(?:Server|Network|Bulk\w{0,10}|Parse|Invalid\w{0,20})?Error\b|\bCastToObjectId failed\b|\bCast to \w{1,30} failed for value\b/,
  ),
  mark(
    'database',
    'a Redis message',
    /\b(?:WRONGTYPE Operation against|NOSCRIPT No matching script|READONLY You can't write against|MOVED \d{1,5} [\d.]{7,15}:|NOAUTH Authentication required|MISCONF Redis)/,
  ),
  mark(
    'database',
    'words of Prisma',
    /\bInvalid `?prisma\.\w|\bPrismaClient\w{4,40}Error\b|\bUnique constraint failed on the (?:fields|constraint)\b|^code: P[12]\d{3}$/m,
  ),
  mark(
    'database',
    'words of an object mapper',
    /\b(?:Sequelize\w{0,30}Error|QueryFailedError|EntityNotFoundError|DrizzleQueryError|TypeORMError|KnexTimeoutError|NoResultError|django\.db\.utils|sqlalchemy\.exc|ActiveRecord::\w{2,60}|PG::\w{3,40}|Doctrine\\DBAL|Illuminate\\Database|SQLSyntaxErrorException|org\.postgresql|psycopg2?\.|asyncpg\.|pymysql\.|mysql\.connector)\b/,
  ),
  mark(
    'database',
    'a failed query',
    /\bFailed query: \w|\b(?:error|failed|failure)[^\n]{0,60}\b(?:SELECT [\w*"`.,\s]{1,120} FROM |INSERT INTO ["`\w.]{1,80}|UPDATE ["`\w.]{1,80} SET |DELETE FROM ["`\w.]{1,80})/i,
  ),
]

const SYSTEM = [
  mark(
    'system',
    'a system error with its target',
    /\b(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|EADDRINUSE)\b[^\n]{0,3}\s?(?:[\w.-]{1,80}|[\d.:a-f]{3,40})|\bgetaddrinfo \w{3,20}\b|\bconnect E[A-Z]{4,20}\b/,
  ),
  mark(
    'system',
    'a file that was not found',
    /\b(?:ENOENT|EACCES|EPERM|EISDIR|ENOTDIR|EMFILE|ENOSPC|EROFS): [a-z ]{3,60}|\bNo such file or directory: '|\b(?:open|stat|lstat|unlink|scandir) '[/A-Z][^'\n]{1,200}'/,
  ),
  mark(
    'system',
    'the address of a service inside',
    /\b(?:dial tcp|upstream connect error|Connection refused to|Failed to connect to) [\w.:/[\]-]{4,80}/,
  ),
  mark(
    'system',
    'an error of the runtime',
    /\bCannot (?:read properties|read property|set properties) of (?:undefined|null)\b|\b[\w$.]{1,60} is not (?:a function|defined|iterable)\b|\bUnexpected token '?[^\n]{1,10}'?[^\n]{0,20} in JSON at position\b|\bERR_[A-Z]+_[A-Z_]{3,60}\b|\bNoneType' object\b|\bundefined method [`'][^'\n]{1,60}' for\b|\bMaximum call stack size exceeded\b|\bOBJECT_NOT_FOUND\b|\bnil pointer dereference\b/,
  ),
]

const PATHS = [
  mark(
    'path',
    'a path of the disk',
    /(?<![\w:/.-])\/(?:home|usr|var|opt|srv|app|etc|root|tmp|workspace|private|Users|mnt|build|data)\/[\w.@+-]{1,80}(?:\/[\w.@+-]{1,80})*\.(?:js|mjs|cjs|ts|tsx|jsx|py|rb|php|java|kt|go|rs|ex|exs|cs|vue|json|ya?ml|env|conf|cfg|ini|sql|log|lock|so|jar|pem|key)\b/,
  ),
  mark(
    'path',
    'a path of the disk',
    /(?<![\w:/.-])\/(?:home|Users|root|var\/www|usr\/(?:src|local)|srv|opt)\/[\w.@+-]{1,80}(?:\/[\w.@+-]{1,80}){1,20}/,
  ),
  mark('path', 'a path of a Windows disk', /\b[A-Z]:\\(?:[\w .$@+-]{1,80}\\){1,20}[\w .$@+-]{1,80}/),
  mark(
    'path',
    'a path of modules',
    /(?:^|[\s("'])(?:\.\/|\/)?(?:[\w.@-]{1,60}\/){0,10}node_modules\/[\w.@/-]{1,200}|\bsite-packages\/[\w./-]{1,120}|\bvendor\/bundle\/[\w./-]{1,120}/,
  ),
]

const SECRETS = [
  mark('secret', 'a private key', /-----BEGIN (?:[A-Z]{2,12} )?PRIVATE KEY-----/, true),
  mark(
    'secret',
    'a connection string with a password',
    /\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|rediss|amqps?|mssql|ftp|smtps?):\/\/[^\s:@/"']{0,80}:[^\s:@/"']{1,120}@[\w.-]{1,120}/,
    true,
  ),
  mark('secret', 'a token in JSON Web form', /\beyJ[\w-]{8,400}\.eyJ[\w-]{8,1200}\.[\w-]{16,600}/, true),
  mark('secret', 'an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, true),
  // One of zeros is made up: the posture page shows some, to be tried.
  mark(
    'secret',
    'a key of an API',
    /\b(?:sk|rk)_(?:[a-z0-9]{1,20}_)?(?:live|test|prod)_(?!0{16})[A-Za-z0-9]{16,120}\b|\bghp_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{22,100}\b|\bxox[abprs]-[\w-]{10,100}|\bAIza[\w-]{35}\b|\bglpat-[\w-]{20}\b|\bSG\.[\w-]{20,24}\.[\w-]{40,50}\b|\bnpm_[A-Za-z0-9]{36}\b/,
    true,
  ),
  mark(
    'secret',
    'a secret by its name',
    /^(?:[\w.-]{0,40}(?:password|passwd|secret|api_?key|access_?key|private_?key|client_secret|db_pass|aws_secret_access_key)): (?!\*{3}|<|\[|null$|undefined$|true$|false$|required|invalid|must|is |should|redacted)[^\s]{8,200}$/im,
    true,
  ),
  mark(
    'secret',
    'a secret of the environment',
    /\b(?:[A-Z][A-Z0-9_]{2,40}_(?:SECRET|PASSWORD|TOKEN|API_KEY|PRIVATE_KEY)|DATABASE_URL|AWS_SECRET_ACCESS_KEY)=[^\s"']{6,200}/,
    true,
  ),
]

const PAGES = [
  mark('debug-page', 'the debugger of Werkzeug', /Werkzeug Debugger|EVALEX\s?=|__debugger__=yes/),
  mark(
    'debug-page',
    'the error page of Spring',
    /Whitelabel Error Page|This application has no explicit mapping for \/error/,
  ),
  mark(
    'debug-page',
    'the debug page of Django',
    /You're seeing this error because you have <code>DEBUG|You.re seeing this error because you have DEBUG = True|Django Version:/,
  ),
  mark(
    'debug-page',
    'the debug page of Rails',
    /Action Controller: Exception caught|Rails\.root: |Application Trace \|/,
  ),
  mark(
    'debug-page',
    'the debug page of Laravel',
    /Whoops, looks like something went wrong|Illuminate\\[A-Z]\w{2,40}|laravel-ignition/,
  ),
  mark('debug-page', 'the debug page of Symfony', /Symfony Exception|sf-dump-|Stack Trace in plain text/),
  mark(
    'debug-page',
    'the error page of ASP.NET',
    /Server Error in '\/[^'\n]{0,60}' Application|<b>Source File:<\/b>|Version Information:(?:<\/b>)?&?n?b?s?p?;?\s?Microsoft \.NET Framework/,
  ),
  mark(
    'debug-page',
    'an overlay of a bundler',
    /__NEXT_ERROR__|nextjs__container_errors|vite-error-overlay|webpack:\/\/\//,
  ),
  mark('debug-page', 'phpinfo', /<title>(?:PHP [\d.]{3,10} - )?phpinfo\(\)|\bphpinfo\(\)/),
  mark('debug-page', 'a GraphQL trace', /"?(?:stacktrace|exception)"?: ?(?:\[|\{)/),
]

const VERSIONS = [
  mark(
    'version',
    'a server with its version',
    /\b(?:nginx|Apache|openresty|Caddy|lighttpd|Jetty|Tomcat|Microsoft-IIS|gunicorn|uvicorn|Kestrel|Phusion Passenger|WildFly|GlassFish|Express|Werkzeug|Apache Tomcat)\/\d{1,3}\.\d{1,4}(?:\.\d{1,6})?/,
  ),
  mark(
    'version',
    'a language with its version',
    /\b(?:PHP|Python|Ruby|Perl|OpenSSL|CPython|Node\.js)[/ ]v?\d{1,2}\.\d{1,3}\.\d{1,3}/,
  ),
]

const SOURCE = [
  mark(
    'source',
    'source code',
    /<\?php\b|^\s{0,8}(?:import [\w{}*, ]{1,80} from ['"]|const \w{1,40} = require\(|from [\w.]{1,60} import \w|#include <\w|public (?:static )?class \w)/m,
  ),
]

const MARKS: readonly Mark[] = [
  ...SECRETS,
  ...STACKS,
  ...DATABASES,
  ...SYSTEM,
  ...PAGES,
  ...PATHS,
  ...VERSIONS,
  ...SOURCE,
]

/**
 * What a body tells: at most one leak of each mark. Total over all texts, linear in their length.
 *
 * @param body as it came, decoded from its charset
 */
export function leaksIn(body: string): readonly Leak[] {
  const texts = textsOf(body)
  const leaks: Leak[] = []
  for (const { kind, what, expression, secret } of MARKS)
    for (const text of texts) {
      const match = expression.exec(text)
      if (match === null) continue
      leaks.push({ kind, what, sample: secret ? masked(match[0]) : shortened(match[0]) })
      break
    }
  return leaks
}

function shortened(text: string): string {
  const line = text.trim().split('\n', 1)[0]!
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}

// Enough to find it by, too little to use it.
function masked(text: string): string {
  const line = text.trim().split('\n', 1)[0]!
  return `${line.slice(0, Math.min(12, Math.floor(line.length / 3)))}…`
}
