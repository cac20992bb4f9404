Feature: The door of the shop

  Background:
    Given these people
      | name  | staff |
      | Carla | yes   |
      | Dan   | no    |

  Scenario Outline: Who may come in
    When <name> comes with the <which> key
    Then the door is <door>

    Examples:
      | name  | which | door   |
      | Carla | right | open   |
      | Carla | wrong | closed |
      | Dan   | right | closed |

  Scenario: Going home
    When Carla comes with the right key
    And she leaves
    Then the door is closed
