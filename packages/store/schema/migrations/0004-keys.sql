-- Whose rights bound a key's: somebody of the organisation; null: the organisation's own, which are all.
alter table api_keys add column owner_id text;

-- Nodes that listen ask at once for what ended. Only a hint: what is not heard is asked for within a second.
create function revocations_told() returns trigger language plpgsql as $$
begin
  perform pg_notify('sallyport_revocations', '');
  return null;
end
$$;
create trigger revocations_told after insert on revocations for each statement execute function revocations_told();
