-- Where in an event an ordered webhook finds the key that its order goes by (`data.customerId`); null: the event's own.
ALTER TABLE subscriptions ADD COLUMN ordering_path TEXT;
