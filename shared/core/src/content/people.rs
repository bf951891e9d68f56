//! Names and roles for personas that have none of their own.

/// A role: title, department and the topics that go with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Role {
    pub(super) title: &'static str,
    pub(super) department: &'static str,
    pub(super) topics: &'static [&'static str],
}

const fn role(
    title: &'static str,
    department: &'static str,
    topics: &'static [&'static str],
) -> Role {
    Role {
        title,
        department,
        topics,
    }
}

/// Roles that any small company has. The topics are tags of the bank.
pub(super) const ROLES: &[Role] = &[
    role("Office Manager", "Operations", &["office", "suppliers"]),
    role("Operations Lead", "Operations", &["projects", "suppliers"]),
    role(
        "Logistics Coordinator",
        "Logistics",
        &["suppliers", "paperwork"],
    ),
    role(
        "Purchasing Officer",
        "Purchasing",
        &["suppliers", "paperwork"],
    ),
    role(
        "Project Coordinator",
        "Project Office",
        &["projects", "scheduling"],
    ),
    role("Product Manager", "Product", &["product", "projects"]),
    role("Product Designer", "Product", &["product", "writing"]),
    role("Research Lead", "Research", &["product", "reports"]),
    role("Business Analyst", "Planning", &["reports", "planning"]),
    role("Controller", "Finance", &["reports", "paperwork"]),
    role("Bookkeeper", "Finance", &["paperwork", "reports"]),
    role("People Partner", "People", &["hiring", "training"]),
    role("Recruiter", "People", &["hiring", "scheduling"]),
    role("Training Coordinator", "Learning", &["training", "events"]),
    role("Event Coordinator", "Communications", &["events", "travel"]),
    role("Editor", "Communications", &["writing", "reports"]),
    role("Marketing Associate", "Marketing", &["writing", "events"]),
    role("Account Manager", "Sales", &["travel", "scheduling"]),
    role(
        "Customer Success Manager",
        "Customer Care",
        &["product", "training"],
    ),
    role(
        "Support Specialist",
        "Customer Care",
        &["technology", "product"],
    ),
    role("Systems Administrator", "IT", &["technology", "office"]),
    role(
        "Software Engineer",
        "Engineering",
        &["technology", "product"],
    ),
    role("Quality Manager", "Quality", &["paperwork", "training"]),
    role("Community Manager", "Community", &["community", "events"]),
];

/// Given names for mailboxes that name no person (`info`, `team`) or only an initial.
pub(super) const GIVEN_NAMES: &[&str] = &[
    "Ada", "Adrian", "Alice", "Amir", "Anna", "Ben", "Bianca", "Bruno", "Carla", "Chris", "Clara",
    "Daniel", "Dina", "Dora", "Elena", "Elias", "Emma", "Erik", "Fatima", "Felix", "Frances",
    "Gareth", "Grace", "Greta", "Hanna", "Henry", "Hugo", "Ida", "Ines", "Isaac", "Jana", "Jonas",
    "Julia", "Karim", "Katie", "Kurt", "Laura", "Leo", "Lucy", "Maja", "Marco", "Maria", "Martin",
    "Nadia", "Nina", "Noah", "Olga", "Oliver", "Oscar", "Paula", "Peter", "Petra", "Quentin",
    "Rachel", "Robert", "Rosa", "Samir", "Sara", "Simon", "Tara", "Theo", "Thomas", "Ulrike",
    "Ursula", "Vera", "Victor", "Walter", "Wendy", "Xenia", "Yara", "Yusuf", "Zoe",
];

/// Family names to go with them.
pub(super) const FAMILY_NAMES: &[&str] = &[
    "Abbott", "Ahmadi", "Albers", "Baker", "Barnes", "Becker", "Bennett", "Berger", "Carter",
    "Castro", "Conti", "Dahl", "Davies", "Dubois", "Ellis", "Engel", "Farrell", "Fischer",
    "Foster", "Gallo", "Grant", "Haas", "Hansen", "Hughes", "Iversen", "Jansen", "Keller",
    "Kowalski", "Lang", "Larsen", "Lopez", "Marsh", "Meyer", "Moreau", "Murphy", "Nagy", "Novak",
    "Okafor", "Owens", "Palmer", "Pereira", "Quinn", "Ramos", "Reid", "Rossi", "Sanders", "Silva",
    "Sommer", "Stone", "Tanaka", "Turner", "Vargas", "Vogel", "Wagner", "Walsh", "Weber", "Winter",
    "Young", "Zimmer",
];

/// Words that show that a mailbox or its display name is not a person's.
pub(super) const ROLE_WORDS: &[&str] = &[
    "accounting",
    "accounts",
    "admin",
    "administration",
    "billing",
    "booking",
    "bookings",
    "careers",
    "company",
    "contact",
    "customer",
    "department",
    "desk",
    "dev",
    "enquiries",
    "events",
    "feedback",
    "finance",
    "gmbh",
    "group",
    "hello",
    "help",
    "helpdesk",
    "hi",
    "hr",
    "inc",
    "info",
    "it",
    "jobs",
    "kontakt",
    "llc",
    "ltd",
    "mail",
    "mailbox",
    "marketing",
    "media",
    "news",
    "newsletter",
    "no",
    "noreply",
    "office",
    "operations",
    "ops",
    "orders",
    "outreach",
    "people",
    "postmaster",
    "press",
    "purchasing",
    "recruiting",
    "reply",
    "reports",
    "sales",
    "service",
    "services",
    "shop",
    "staff",
    "studio",
    "support",
    "team",
    "test",
    "warmup",
    "web",
    "webmaster",
    "welcome",
];

/// Forms of address that precede a name, without their full stop.
pub(super) const HONORIFICS: &[&str] = &[
    "dr", "frau", "herr", "madame", "miss", "monsieur", "mr", "mrs", "ms", "mx", "prof", "sir",
];
