# language: en
Feature: Login and logout

  Scenario: In and out
    Given a colleague named "Eve"
    When the password "pw" is entered
    Then the office is open
    When the colleague leaves
    Then the office is closed

  Scenario: A guess
    Given a colleague named "Eve"
    When the password "password" is entered
    Then the office is closed

  Scenario: No account
    Given a stranger
    When the password "pw" is entered
    Then the office is closed
