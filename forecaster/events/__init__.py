"""What is known ahead of traffic: events, whom they concern, and how they overlap.

event.py      one event
importance.py a number or a word
selector.py   which workloads
recurring.py  daily windows and public holidays, made into events
calendar.py   all of them
"""

from forecaster.events.calendar import EMPTY_CALENDAR, Calendar, Overlap
from forecaster.events.event import Event, Shape
from forecaster.events.recurring import DailyWindow, PublicHolidays, Recurring
from forecaster.events.selector import EVERY_WORKLOAD, Selector

__all__ = [
    "EMPTY_CALENDAR",
    "EVERY_WORKLOAD",
    "Calendar",
    "DailyWindow",
    "Event",
    "Overlap",
    "PublicHolidays",
    "Recurring",
    "Selector",
    "Shape",
]
