"""Where things are kept: tables, engines, the unit of work and one repository per aggregate."""
