"""What becomes of a record that is packed, and why nothing may."""


class NothingUsableError(ValueError):
    """Every record was left out."""


class NotWantedError(ValueError):
    """What a reader raises where the file says that its record was not asked for: the rule, and the detail."""
