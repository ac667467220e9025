"""Public holidays, from a library that is kept up to date with the countries' laws."""

from collections.abc import Container
from datetime import date

import holidays


def public_holidays(country: str | None) -> Container[date]:
    """The days off of a country (ISO 3166 code), days off in lieu included; none for ``None``.

    Years are worked out when a day of them is first asked for.

    Raises:
        ValueError: the library doesn't know the country.
    """
    if country is None:
        return frozenset()
    try:
        return holidays.country_holidays(country)
    except NotImplementedError as error:
        msg = f"no public holidays are known for {country!r}; write the country's ISO 3166 code, such as AZ"
        raise ValueError(msg) from error
