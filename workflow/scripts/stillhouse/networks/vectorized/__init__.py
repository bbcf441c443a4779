"""Many networks trained as one: layers with a leading axis of members, none of which can tell who is beside it."""
