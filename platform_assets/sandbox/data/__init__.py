"""What each platform's sandbox holds at first, and what happens there as its clock advances."""
