"""The notice (告知): who of a case is told by text message how it stands."""

from __future__ import annotations

from petition.people import Role
from petition.petition import Petition

# In the order in which they are asked: whose matter it is. An agent acts for somebody else, cosigners hear of it from
# their representative (Regulation art. 20); neither is told behind the back of the person.
_TOLD = (Role.SELF, Role.PRINCIPAL, Role.REPRESENTATIVE)


def told_of(petition: Petition) -> str:
    """The mobile of the one person who is told, or empty; nobody is told of an anonymous petition."""
    if petition.is_anonymous:
        return ""
    for role in _TOLD:
        for person in petition.petitioners:
            if person.role is role and person.mobile:
                return person.mobile
    return ""
