"""An embedded mini-LMS: a school to try and test an LTI 1.3 Advantage tool without a real LMS.

It shares no code with the tool, so that both cannot share a misreading of the specifications. All its state is in
memory and gone when the process ends; serve it by one process (threads are fine).
"""

from lti_tool.sandbox.app import create_app
from lti_tool.sandbox.school import School

__all__ = ["School", "create_app"]
