// Bodies written for the tests after the formats of the programs named: what leaks, and what only looks like it.

import type { LeakKind } from './leaks.ts'

const json = (value: unknown) => JSON.stringify(value)

/** Bodies that tell something. */
export const LEAKY: readonly { readonly name: string; readonly kind: LeakKind; readonly body: string }[] = [
  {
    name: 'Express default error page',
    kind: 'stack',
    body: '<!DOCTYPE html><html><body><pre>TypeError: x is not a function<br> &nbsp; &nbsp;at /srv/api/routes/orders.js:14:9<br> &nbsp; &nbsp;at Layer.handle (/srv/api/node_modules/express/lib/router/layer.js:95:5)</pre></body></html>',
  },
  {
    name: 'Node stack in JSON',
    kind: 'stack',
    body: json({
      message: 'boom',
      stack:
        'Error: boom\n    at load (file:///app/src/load.mjs:3:9)\n    at async run (node:internal/process/task_queues:95:5)',
    }),
  },
  {
    name: 'Node stack as a list',
    kind: 'stack',
    body: json({
      stack: [
        'Error: boom',
        '    at Object.<anonymous> (/app/index.js:1:7)',
        '    at Module._compile (node:internal/modules/cjs/loader:1554:14)',
      ],
    }),
  },
  {
    name: 'V8 frame on Windows',
    kind: 'stack',
    body: json({ trace: 'Error\n    at main (C:\\api\\main.js:10:3)' }),
  },
  {
    name: 'Safari frames',
    kind: 'stack',
    body: 'render@https://app.example.com/main.js:10:33\nrun@https://app.example.com/main.js:99:1',
  },
  {
    name: 'Python traceback',
    kind: 'stack',
    body: 'Traceback (most recent call last):\n  File "/app/views.py", line 12, in get\n    return 1/0\nZeroDivisionError: division by zero',
  },
  {
    name: 'Python frame alone',
    kind: 'stack',
    body: json({ debug: '  File "/srv/app/models.py", line 88, in save' }),
  },
  {
    name: 'Java frames',
    kind: 'stack',
    body: 'java.lang.NullPointerException\n\tat com.example.api.OrderController.find(OrderController.java:42)\n\tat java.base/java.lang.Thread.run(Thread.java:840)',
  },
  {
    name: 'Java exception by name',
    kind: 'stack',
    body: json({
      timestamp: 1,
      status: 500,
      exception: 'org.springframework.dao.DataIntegrityViolationException',
    }),
  },
  {
    name: 'Kotlin frame',
    kind: 'stack',
    body: json({ trace: '\tat com.example.Api$handle$1.invokeSuspend(Api.kt:17)' }),
  },
  {
    name: 'Spring trace field',
    kind: 'stack',
    body: json({
      error: 'Internal Server Error',
      trace: 'java.lang.IllegalStateException: no\r\n\tat com.example.A.b(A.java:1)\r\n',
    }),
  },
  {
    name: '.NET frames',
    kind: 'stack',
    body: 'System.NullReferenceException: Object reference not set to an instance of an object.\n   at Shop.Orders.OrderService.Find(Int32 id) in C:\\src\\Shop\\OrderService.cs:line 33',
  },
  {
    name: '.NET exception by name',
    kind: 'stack',
    body: json({ type: 'System.InvalidOperationException', detail: 'no' }),
  },
  {
    name: '.NET frame without file',
    kind: 'stack',
    body: '   at Microsoft.AspNetCore.Routing.EndpointMiddleware.Invoke(HttpContext httpContext)',
  },
  {
    name: 'PHP warning',
    kind: 'stack',
    body: '<b>Warning</b>:  Undefined variable $user in <b>/var/www/html/index.php</b> on line <b>3</b><br />',
  },
  {
    name: 'PHP trace',
    kind: 'stack',
    body: json({ trace: '#0 /var/www/app/Http/Kernel.php(123): handle()\n#1 {main}' }),
  },
  {
    name: 'Ruby frame',
    kind: 'stack',
    body: json({ traces: ["app/controllers/orders_controller.rb:12:in `show'"] }),
  },
  { name: 'Ruby 3.4 frame', kind: 'stack', body: "app/models/order.rb:7:in 'Order#total'" },
  {
    name: 'Go panic',
    kind: 'stack',
    body: 'panic: runtime error: index out of range [3] with length 2\n\ngoroutine 19 [running]:\nmain.handler(0xc0000b2000)\n\t/go/src/api/main.go:22 +0x1d',
  },
  {
    name: 'Rust panic',
    kind: 'stack',
    body: "thread 'tokio-runtime-worker' panicked at src/main.rs:17:5:\ncalled `Option::unwrap()` on a `None` value",
  },
  {
    name: 'Elixir error',
    kind: 'stack',
    body: '** (KeyError) key :id not found\n    (api 0.1.0) lib/api/orders.ex:12: Api.Orders.get/1',
  },
  {
    name: 'GraphQL stacktrace',
    kind: 'stack',
    body: json({
      errors: [
        {
          message: 'no',
          extensions: { stacktrace: ['Error: no', '    at resolve (/app/dist/resolvers.js:5:11)'] },
        },
      ],
    }),
  },
  {
    name: 'double-escaped stack',
    kind: 'stack',
    body: json({ error: json({ stack: 'Error\n    at handler (/app/handler.js:2:2)' }) }),
  },
  {
    name: 'PostgreSQL unique',
    kind: 'database',
    body: json({ message: 'duplicate key value violates unique constraint "users_email_key"' }),
  },
  {
    name: 'PostgreSQL foreign key',
    kind: 'database',
    body: json({
      detail: 'insert or update on table "orders" violates foreign key constraint "orders_user_fk"',
    }),
  },
  {
    name: 'PostgreSQL row level security',
    kind: 'database',
    body: json({ message: 'new row violates row-level security policy for table "orders"' }),
  },
  {
    name: 'PostgreSQL relation',
    kind: 'database',
    body: json({ error: 'relation "orderz" does not exist' }),
  },
  { name: 'PostgreSQL column', kind: 'database', body: json({ error: 'column orders.totl does not exist' }) },
  { name: 'PostgreSQL syntax', kind: 'database', body: json({ error: 'syntax error at or near "FORM"' }) },
  {
    name: 'PostgreSQL type',
    kind: 'database',
    body: json({ error: 'invalid input syntax for type uuid: "1"' }),
  },
  {
    name: 'PostgreSQL null',
    kind: 'database',
    body: json({ error: 'null value in column "name" of relation "users" violates not-null constraint' }),
  },
  {
    name: 'pg error object',
    kind: 'database',
    body: json({ length: 102, severity: 'ERROR', code: '42P01', position: '15', routine: 'parserOpenTable' }),
  },
  { name: 'sqlState field', kind: 'database', body: json({ errno: 1064, sqlState: '42000' }) },
  {
    name: 'SQLSTATE in PDO',
    kind: 'database',
    body: json({ message: 'SQLSTATE[23000]: Integrity constraint violation' }),
  },
  {
    name: 'permission of a table',
    kind: 'database',
    body: json({ error: 'permission denied for table invoices' }),
  },
  {
    name: 'password of a role',
    kind: 'database',
    body: json({ error: 'password authentication failed for user "api"' }),
  },
  {
    name: 'statement timeout',
    kind: 'database',
    body: json({ error: 'canceling statement due to statement timeout' }),
  },
  {
    name: 'MySQL syntax',
    kind: 'database',
    body: json({ error: 'You have an error in your SQL syntax; check the manual' }),
  },
  {
    name: 'MySQL duplicate',
    kind: 'database',
    body: json({ error: "Duplicate entry 'a@b.example' for key 'users.email'" }),
  },
  { name: 'MySQL column', kind: 'database', body: json({ error: "Unknown column 'x' in 'where clause'" }) },
  { name: 'MySQL code', kind: 'database', body: json({ code: 'ER_NO_SUCH_TABLE' }) },
  {
    name: 'MySQL access',
    kind: 'database',
    body: json({ error: "Access denied for user 'api'@'10.0.0.3' (using password: YES)" }),
  },
  {
    name: 'SQLite constraint',
    kind: 'database',
    body: json({ error: 'UNIQUE constraint failed: users.email' }),
  },
  { name: 'SQLite code', kind: 'database', body: json({ error: 'SQLITE_BUSY: database is locked' }) },
  { name: 'SQLite table', kind: 'database', body: json({ error: 'no such table: users' }) },
  {
    name: 'SQL Server quotes',
    kind: 'database',
    body: json({ error: "Unclosed quotation mark after the character string ''." }),
  },
  {
    name: 'SQL Server key',
    kind: 'database',
    body: json({ error: "Violation of PRIMARY KEY constraint 'PK_Users'" }),
  },
  { name: 'Oracle', kind: 'database', body: json({ error: 'ORA-00942: table or view does not exist' }) },
  {
    name: 'MongoDB duplicate',
    kind: 'database',
    body: json({ error: 'E11000 duplicate key error collection: shop.users index: email_1 dup key' }),
  },
  {
    name: 'Mongoose cast',
    kind: 'database',
    body: json({
      message: 'Cast to ObjectId failed for value "x" (type string) at path "_id" for model "User"',
    }),
  },
  {
    name: 'Redis type',
    kind: 'database',
    body: json({ error: 'WRONGTYPE Operation against a key holding the wrong kind of value' }),
  },
  {
    name: 'Prisma call',
    kind: 'database',
    body: json({
      error:
        '\nInvalid `prisma.user.create()` invocation:\n\nUnique constraint failed on the fields: (`email`)',
    }),
  },
  {
    name: 'Prisma class',
    kind: 'database',
    body: json({ name: 'PrismaClientKnownRequestError', code: 'P2002' }),
  },
  {
    name: 'Drizzle',
    kind: 'database',
    body: json({ message: 'Failed query: select "id" from "users" where "users"."id" = $1\nparams: 1' }),
  },
  { name: 'Sequelize', kind: 'database', body: json({ name: 'SequelizeUniqueConstraintError' }) },
  { name: 'TypeORM', kind: 'database', body: json({ name: 'QueryFailedError' }) },
  {
    name: 'ActiveRecord',
    kind: 'database',
    body: json({ error: "ActiveRecord::RecordNotFound: Couldn't find Order with 'id'=9" }),
  },
  {
    name: 'SQLAlchemy',
    kind: 'database',
    body: json({ detail: '(sqlalchemy.exc.IntegrityError) not null' }),
  },
  { name: 'connection refused', kind: 'system', body: json({ error: 'connect ECONNREFUSED 10.0.3.7:5432' }) },
  {
    name: 'name not found',
    kind: 'system',
    body: json({ error: 'getaddrinfo ENOTFOUND payments.internal' }),
  },
  {
    name: 'file not found',
    kind: 'system',
    body: json({ error: "ENOENT: no such file or directory, open '/app/config/keys.json'" }),
  },
  {
    name: 'undefined property',
    kind: 'system',
    body: json({ message: "Cannot read properties of undefined (reading 'id')" }),
  },
  {
    name: 'old JSON.parse',
    kind: 'system',
    body: json({ message: 'Unexpected token } in JSON at position 14' }),
  },
  { name: 'Node error code', kind: 'system', body: json({ code: 'ERR_HTTP_HEADERS_SENT' }) },
  {
    name: 'Go dial',
    kind: 'system',
    body: json({ error: 'dial tcp 10.1.2.3:6379: connect: connection refused' }),
  },
  {
    name: 'a module path',
    kind: 'path',
    body: json({ hint: 'see node_modules/express/lib/application.js' }),
  },
  { name: 'a source path', kind: 'path', body: json({ file: '/home/deploy/api/current/src/orders.ts' }) },
  { name: 'a Windows path', kind: 'path', body: json({ file: 'C:\\inetpub\\wwwroot\\api\\web.config' }) },
  {
    name: 'a path in a sentence',
    kind: 'path',
    body: 'Template not found in /var/www/shop/templates/mail/order.html',
  },
  {
    name: 'a connection string',
    kind: 'secret',
    body: json({ error: 'could not connect to postgres://api:hunter2hunter2@db.internal:5432/shop' }),
  },
  { name: 'a private key', kind: 'secret', body: json({ key: '-----BEGIN RSA PRIVATE KEY-----\nMIIE' }) },
  {
    name: 'a JWT',
    kind: 'secret',
    body: json({
      token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
    }),
  },
  { name: 'an AWS key', kind: 'secret', body: json({ id: 'AKIAIOSFODNN7EXAMPLE' }) },
  {
    name: 'a payment key',
    kind: 'secret',
    body: json({ used: ['sk', 'live', '4eC39HqLyjWDarjtT1zdp7dc'].join('_') }),
  },
  {
    name: 'a password field',
    kind: 'secret',
    body: json({ config: { db_password: 'correct-horse-battery' } }),
  },
  { name: 'the environment', kind: 'secret', body: 'PATH=/bin\nSESSION_SECRET=8f2e9d0c1b2a\nHOME=/root' },
  {
    name: 'Werkzeug',
    kind: 'debug-page',
    body: '<title>ZeroDivisionError // Werkzeug Debugger</title><script>EVALEX = true</script>',
  },
  {
    name: 'Whitelabel',
    kind: 'debug-page',
    body: '<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error, so you are seeing this as a fallback.</p></body></html>',
  },
  {
    name: 'Django debug',
    kind: 'debug-page',
    body: "<p>You're seeing this error because you have <code>DEBUG = True</code> in your Django settings file.</p>",
  },
  { name: 'Rails debug', kind: 'debug-page', body: '<title>Action Controller: Exception caught</title>' },
  { name: 'ASP.NET', kind: 'debug-page', body: "<h1>Server Error in '/' Application.</h1>" },
  { name: 'phpinfo', kind: 'debug-page', body: '<title>PHP 8.3.1 - phpinfo()</title>' },
  { name: 'nginx footer', kind: 'version', body: '<center>nginx/1.22.1</center>' },
  { name: 'Tomcat footer', kind: 'version', body: '<h3>Apache Tomcat/10.1.13</h3>' },
  { name: 'PHP version', kind: 'version', body: 'X-Powered-By: PHP/8.2.7' },
  { name: 'source of PHP', kind: 'source', body: '<?php echo $user; ?>' },
  {
    name: 'source of Node',
    kind: 'source',
    body: "const express = require('express')\nconst app = express()",
  },
]

/** Bodies that tell nothing, though some look like it. */
export const CLEAN: readonly { readonly name: string; readonly body: string }[] = [
  { name: 'empty', body: '' },
  {
    name: 'a problem document',
    body: json({
      type: '/.well-known/problems/internal',
      title: 'Internal Server Error',
      status: 500,
      code: 'internal',
      requestId: '0af7651916cd43dd8448eb211c80319c',
    }),
  },
  {
    name: 'a problem with errors',
    body: json({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      errors: [{ pointer: '/amount', code: 'too_small' }],
    }),
  },
  {
    name: 'Stripe-like error',
    body: json({
      error: {
        type: 'card_error',
        code: 'card_declined',
        decline_code: 'insufficient_funds',
        param: 'amount',
        doc_url: 'https://docs.example.com/errors#card_declined',
        message: 'Your card has insufficient funds.',
      },
    }),
  },
  { name: 'Internal Server Error', body: 'Internal Server Error' },
  { name: 'Not Found', body: '<html><body><h1>404 Not Found</h1></body></html>' },
  {
    name: 'a product list',
    body: json([
      { id: 1, name: 'Java coffee', price: 12.5 },
      { id: 2, name: 'Python belt', price: 80 },
    ]),
  },
  {
    name: 'a path of the API',
    body: json({ self: '/v1/users/42/orders', next: '/v1/users/42/orders?page=2' }),
  },
  { name: 'a URL with a path', body: json({ image: 'https://cdn.example.com/home/images/logo.js' }) },
  { name: 'a URL like a disk', body: json({ url: 'https://example.com/usr/local/guide.json' }) },
  { name: 'a sentence with at', body: 'Meet us at noon (the usual place) at the office.' },
  { name: 'an address', body: json({ email: 'at.home@example.com', street: '12 At Lane' }) },
  { name: 'a date', body: json({ at: '2026-11-25T12:00:00Z', line: 42 }) },
  { name: 'a UUID', body: json({ id: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6' }) },
  { name: 'validation: password required', body: json({ errors: { password: 'required' } }) },
  {
    name: 'validation: password short',
    body: json({ errors: [{ field: 'password', message: 'must have at least 12 characters' }] }),
  },
  { name: 'password masked', body: json({ password: '********' }) },
  { name: 'password null', body: json({ password: null, hasPassword: true }) },
  {
    name: 'a JSON Schema',
    body: json({ type: 'object', properties: { password: { type: 'string' }, secret: { type: 'string' } } }),
  },
  { name: 'a token type', body: json({ token_type: 'Bearer', expires_in: 3600 }) },
  { name: 'a publishable key', body: json({ key: 'pk_acme_live_abcdefgh' }) },
  {
    name: 'a sentence about a path',
    body: json({ value: 'at /v1/keys: people in the role admin make, rotate and revoke keys' }),
  },
  {
    name: 'a made-up key, to be tried',
    body: "curl -H 'Authorization: Bearer sk_demo_live_000000000000000000000000000000002CU6vn'",
  },
  {
    name: 'documentation of keys',
    body: 'Secret keys begin with sk_live_ and publishable keys with pk_live_.',
  },
  {
    name: 'an openapi document',
    body: json({
      openapi: '3.1.0',
      paths: { '/orders/{id}': { get: { responses: { 404: { description: 'No such order' } } } } },
    }),
  },
  { name: 'a help text on SQL', body: 'Our report builder lets you select columns from tables.' },
  { name: 'select from', body: 'Please select from the list of countries.' },
  { name: 'update set', body: json({ message: 'Update your settings to continue.' }) },
  { name: 'unique constraint in words', body: json({ message: 'This e-mail address is already in use.' }) },
  { name: 'does not exist', body: json({ message: 'The order does not exist.' }) },
  { name: 'duplicate key in words', body: json({ message: 'Two items have the same key.' }) },
  { name: 'permission denied', body: json({ message: 'You have no permission to see this.' }) },
  { name: 'deadline', body: json({ message: 'The deadline has passed.' }) },
  { name: 'timeout in words', body: json({ message: 'The request took too long. Try again.' }) },
  { name: 'unexpected token in words', body: json({ message: 'The body is not valid JSON.' }) },
  { name: 'a version of an API', body: json({ version: '2.4.1', api: 'v1' }) },
  { name: 'a browser list', body: json({ browsers: ['Chrome 120', 'Firefox 121'] }) },
  { name: 'nginx without version', body: '<center>nginx</center>' },
  { name: 'Python course', body: json({ title: 'Python 3 for beginners' }) },
  { name: 'Ruby gem stone', body: json({ name: 'Ruby', carat: 2.4 }) },
  { name: 'Go west', body: json({ text: 'Go: the game of stones' }) },
  { name: 'panic button', body: json({ device: 'panic button', state: 'ok' }) },
  { name: 'stack of books', body: json({ name: 'A stack of books', trace: 'none' }) },
  { name: 'exception to the rule', body: json({ text: 'Every rule has an exception.' }) },
  { name: 'error codes', body: json({ code: 'E1001', message: 'Out of stock' }) },
  { name: 'an IBAN', body: json({ iban: 'GB82WEST12345698765432' }) },
  { name: 'base64', body: json({ data: 'aGVsbG8gd29ybGQgYW5kIGV2ZXJ5Ym9keSBlbHNl' }) },
  { name: 'an image', body: '\u0089PNG\r\n\u001a\n\u0000\u0000\u0000\rIHDR' },
  { name: 'server-sent events', body: 'id: 1\nevent: status\ndata: {"api":"operational"}\n\n' },
  {
    name: 'a web page',
    body: '<!doctype html><html><head><title>Shop</title><script src="/static/app.js"></script></head><body><a href="/home/about">About</a></body></html>',
  },
  { name: 'robots.txt', body: 'User-agent: *\nDisallow: /admin/\n' },
  { name: 'security.txt', body: 'Contact: mailto:security@example.com\nExpires: 2027-01-01T00:00:00Z\n' },
  { name: 'a public key', body: '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n' },
  {
    name: 'a JWKS',
    body: json({ keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] }),
  },
  { name: 'CSV', body: 'id,name\n1,at home\n2,/usr\n' },
  { name: 'a Unix mention', body: json({ text: 'Put it into /tmp or /etc, as you like.' }) },
  { name: 'a phone', body: json({ phone: '+44 20 7946 0000' }) },
  { name: 'rate limit', body: json({ code: 'too_many_requests', retryAfter: 30 }) },
  { name: 'health', body: json({ status: 'ok', checks: { database: 'up', redis: 'up' } }) },
  { name: 'changelog', body: '## 2.3.1\n\n- Fixed the order of products\n' },
  {
    name: 'code words',
    body: json({ message: 'Use the function on the left to import products from a file.' }),
  },
]
