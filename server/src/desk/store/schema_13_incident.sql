-- Alarms that officers treat as one: which incident an alarm belongs to, by its id.
CREATE TABLE incident_alarm (
    alarm    BLOB    NOT NULL PRIMARY KEY CHECK (length(alarm) = 16),
    incident BLOB    NOT NULL CHECK (length(incident) = 16),
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_alarms ON incident_alarm (incident);

-- Of an alarm beyond twenty a minute of one device: the id of the alarm that it is shown behind. Empty for others.
ALTER TABLE alarm ADD COLUMN folded BLOB NOT NULL DEFAULT x'';
CREATE INDEX alarm_folded ON alarm (folded, number) WHERE folded <> x'';
CREATE INDEX alarm_of_device ON alarm (device, received_at);
