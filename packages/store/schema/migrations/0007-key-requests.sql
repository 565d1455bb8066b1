-- By which request a generation was made: who asked and his own name for it, digested. A request that comes again finds what
-- it has made, on every node, and makes nothing twice. It lives as long as the generation, so there are no more of them.
alter table api_key_generations add column request bytea unique check (length(request) = 32);
