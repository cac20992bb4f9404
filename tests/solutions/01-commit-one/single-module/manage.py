import sys

from django.core.management import ManagementUtility

import application.wsgi

ManagementUtility(sys.argv).execute()
