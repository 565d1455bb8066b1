// The same as kills.test.ts with 100 kills on each engine.

process.env['SALLYPORT_AUDIT_KILLS'] ??= '100'
await import('./kills.test.ts')

export {}
