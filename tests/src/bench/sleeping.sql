-- Check-ins that are not due, beside those that the bench handed in: rows like theirs under ids of their own, their sealed
-- bytes left out. ?1 how many, ?2 how many were handed in, ?3 now.
INSERT INTO document (document, bytes, lasts, at)
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
    SELECT ?2 * 100 + n, zeroblob(64), 1, ?3 FROM n;
INSERT INTO deposit (deposit, org, account, device, desk, seq, timers, sealed, document, ladder, ladder_version, slots,
                     due_at, unheard_at, grace_ms, state, at)
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
    SELECT randomblob(16), like_it.org, like_it.account, like_it.device, like_it.desk, 1, randomblob(32), randomblob(32),
           ?2 * 100 + n, like_it.ladder, like_it.ladder_version, like_it.slots,
           ?3 + 7200000 + n * 10, ?3 + 7200000 + n * 10, 0, 0, ?3
    FROM n JOIN deposit like_it ON like_it.rowid = 1 + n % ?2;
