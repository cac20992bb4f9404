Feature: Login and logout

  Our staff look after the shop behind a door. Who has a key gets in, nobody
  else does, and who leaves closes the door.

  Scenario: Staff log in
    Given Ada works here
    When she logs in with her password
    Then she sees the office
    And she is greeted by name

  Scenario: A wrong password
    Given Ada works here
    When she logs in with a wrong password
    Then she is told that it was wrong
    And she does not see the office

  Scenario: A customer is not staff
    Given Bob is a customer
    When he logs in with his password
    Then he does not see the office

  Scenario: Staff log out
    Given Ada works here
    And she has logged in
    When she logs out
    Then she does not see the office
