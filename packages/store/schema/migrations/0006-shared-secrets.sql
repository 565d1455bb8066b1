-- Which secrets the gateways of this store work with: labels of them, never the secrets. One with another secret would
-- count guesses apart, or sign a log that the others can't check.

create table shared_secrets (
  name text primary key,
  label text not null,
  since timestamptz not null default now()
);
grant select, insert on shared_secrets to sallyport_app;
