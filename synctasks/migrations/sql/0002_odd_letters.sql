-- A dead letter's number tells which of the two databases it is in.
ALTER TABLE synctasks.dead_letter
    ALTER COLUMN id SET START 1 SET INCREMENT 2 RESTART;
