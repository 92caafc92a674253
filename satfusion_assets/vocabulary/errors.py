"""Every error this package raises on purpose.

Each message is one sentence that names the file, field or partition and says what to do. Callers branch on
the type; nobody parses the text.
"""

from __future__ import annotations


class SatfusionError(Exception):
    """Base of all errors that a user can act on."""


class InvalidInput(SatfusionError):
    """Something the user gave (name, coordinate, season, key, option) cannot be used."""


class TooCostly(InvalidInput):
    """What is asked for costs more than a limit of the settings allows."""


class UnknownSite(InvalidInput):
    """The named site is not in sites.geojson."""


class UnknownSeason(InvalidInput):
    """The site exists, the season is not registered for it."""


class InvalidSitesFile(InvalidInput):
    """sites.geojson cannot be read as a collection of sites."""


class ArchiveError(SatfusionError):
    """An outside archive did not give what was asked of it."""


class ArchiveUnavailable(ArchiveError):
    """The archive cannot be reached, or kept failing after all retries; a later run may succeed."""


class ArchiveAnswerInvalid(ArchiveError):
    """The archive answered with something that cannot be right (malformed, missing asset, wrong units)."""


class CredentialsMissing(ArchiveError):
    """No credentials are set; the message names the environment variables."""


class CredentialsRejected(ArchiveError):
    """The archive refused the credentials that are set."""


class ServiceFailed(SatfusionError):
    """A service did not start."""


class NoticeNotSent(SatfusionError):
    """People could not be notified of a failure."""


class NoData(SatfusionError):
    """A partition's inputs hold nothing to work with (season without scenes, camera without pictures)."""


class StoreError(SatfusionError):
    """The product store cannot read or write."""


class ProductMissing(StoreError):
    """A product that is needed has not been materialised."""


class OutOfPlace(StoreError):
    """A product lies elsewhere than its site does now."""


class ProductCorrupt(StoreError):
    """A file of a product is unreadable or differs from its manifest."""


class StoreFull(StoreError):
    """The disk that holds the product store is full."""


class StoreUnavailable(StoreError):
    """The bucket that holds the product store does not answer; a later run may succeed."""


class StoreRefused(StoreError):
    """The server of the bucket refuses what is asked of it, or cannot be relied on; a person has to act."""


class LeaseLost(StoreError):
    """A run's process has lost the right to publish: it was taken for dead, canceled, or made again elsewhere."""
