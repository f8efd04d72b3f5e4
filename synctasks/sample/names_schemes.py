"""What the state's schemes are for: data. Ten categories of five purposes, under four patrons."""

from typing import NamedTuple


class Field(NamedTuple):
    """A category of schemes: the department in charge, for whom (ages in years), and what for.

    A purpose is a name and a description.
    """

    code: str
    category: str
    department: str
    ages: tuple[int, int]
    purposes: tuple[tuple[str, str], ...]


PATRONS = ("Mukhyamantri", "Rajya", "Gramin", "Shahari")

FIELDS = (
    Field(
        "EDU",
        "education",
        "Department of School Education",
        (6, 25),
        (
            ("Kanya Shiksha", "Stipend for girls from class 6 to class 12"),
            ("Vidyarthi Chhatravriti", "Scholarship for students of families with low income"),
            ("Cycle Vitaran", "A bicycle for students who live far from their school"),
            ("Anuprati Coaching", "Free coaching for entrance examinations"),
            ("Chhatravas", "A place in a hostel for students from remote villages"),
        ),
    ),
    Field(
        "HLT",
        "health",
        "Department of Medical, Health and Family Welfare",
        (0, 120),
        (
            ("Swasthya Bima", "Cashless treatment in empanelled hospitals"),
            ("Nishulk Dava", "Free essential medicines in public hospitals"),
            ("Nishulk Janch", "Free diagnostic tests in public hospitals"),
            ("Matritva Suraksha", "Support for mothers before and after birth"),
            ("Bal Gopal Poshan", "Milk and supplements for children at school"),
        ),
    ),
    Field(
        "AGR",
        "agriculture",
        "Department of Agriculture",
        (18, 75),
        (
            ("Kisan Samman", "Yearly income support for small and marginal farmers"),
            ("Fasal Bima", "Insurance of crops against drought, hail and pests"),
            ("Krishi Sinchai", "Grants for drip irrigation and farm ponds"),
            ("Beej Uphar", "Certified seed at a subsidised price"),
            ("Krishak Saathi", "Compensation after accidents in farm work"),
        ),
    ),
    Field(
        "PEN",
        "social_security",
        "Department of Social Justice and Empowerment",
        (55, 120),
        (
            ("Vriddhajan Pension", "Monthly pension for the elderly"),
            ("Ekal Nari Pension", "Monthly pension for widowed and single women"),
            ("Vishesh Yogyajan Pension", "Monthly pension for persons with disabilities"),
            ("Palanhar", "Support for families that raise orphaned children"),
            ("Antyeshti Sahayata", "Help with the cost of last rites"),
        ),
    ),
    Field(
        "WCD",
        "women_and_children",
        "Department of Women and Child Development",
        (0, 50),
        (
            ("Rajshri", "Instalments for girls from birth to class 12"),
            ("Kanyadan", "Help with the cost of a daughter's wedding"),
            ("Udaan", "Hygiene products for women and girls"),
            ("Indira Matritva Poshan", "Nutrition support for second pregnancies"),
            ("Nari Shakti Udyam", "Subsidised credit for enterprises led by women"),
        ),
    ),
    Field(
        "HOU",
        "housing",
        "Department of Local Self Government",
        (18, 120),
        (
            ("Awas", "Grant to build or complete a house"),
            ("Jal Kanekshan", "A tap connection for households without one"),
            ("Sauchalaya", "Grant for a toilet in the house"),
            ("Bijli Anudan", "Subsidy on the electricity bill"),
            ("Saur Urja", "Grant for solar panels on the roof"),
        ),
    ),
    Field(
        "EMP",
        "employment",
        "Department of Skill, Employment and Entrepreneurship",
        (18, 45),
        (
            ("Yuva Sambal", "Allowance for unemployed graduates"),
            ("Kaushal Vikas", "Free vocational training with placement"),
            ("Rozgar Guarantee", "A guarantee of days of paid work each year"),
            ("Laghu Udyog Protsahan", "Interest subsidy for small industries"),
            ("Shramik Kalyan", "Benefits for registered construction workers"),
        ),
    ),
    Field(
        "FOD",
        "food_security",
        "Department of Food and Civil Supplies",
        (0, 120),
        (
            ("Annapurna Packet", "A monthly packet of pulses, oil and spices"),
            ("Khadya Suraksha", "Wheat at a subsidised price"),
            ("Rasoi", "Meals at a nominal price"),
            ("Gas Cylinder", "Cooking gas cylinders at a subsidised price"),
            ("Poshahar", "Take-home rations for young children"),
        ),
    ),
    Field(
        "TRB",
        "tribal_welfare",
        "Department of Tribal Area Development",
        (0, 60),
        (
            ("Janjati Vikas", "Development grants for tribal hamlets"),
            ("Van Dhan", "Support for those who gather forest produce"),
            ("Eklavya Shiksha", "Residential schools for tribal children"),
            ("Janjati Krishi", "Wells, pumps and seed for tribal farmers"),
            ("Maa Badi Kendra", "Village centres for early learning"),
        ),
    ),
    Field(
        "ANI",
        "animal_husbandry",
        "Department of Animal Husbandry",
        (18, 75),
        (
            ("Pashu Bima", "Insurance of cattle, buffaloes, camels, sheep and goats"),
            ("Kamdhenu", "Insurance of milch cattle at no premium"),
            ("Dugdh Utpadak Sambal", "A bonus for each litre of milk delivered"),
            ("Usht Sanrakshan", "Grant for every camel calf raised"),
            ("Pashu Chikitsa", "Free treatment of livestock by mobile units"),
        ),
    ),
)
