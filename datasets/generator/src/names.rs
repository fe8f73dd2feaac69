//! Made-up people, groups, clients and permissions.

/// Given names: the first twelve are ASCII.
pub(super) const GIVEN: [&str; 24] = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Grace",
    "Henry",
    "Ines",
    "Jack",
    "Karin",
    "Leo",
    "Zoë",
    "José",
    "Łukasz",
    "Søren",
    "Ólafur",
    "Ayşe",
    "Иван",
    "Ольга",
    "小明",
    "さくら",
    "محمد",
    "Ngọc",
];

/// Family names: the first twelve are ASCII.
pub(super) const FAMILY: [&str; 24] = [
    "Adams",
    "Brown",
    "Clark",
    "Davies",
    "Evans",
    "Fischer",
    "Green",
    "Hill",
    "Irving",
    "Jones",
    "King",
    "Lopez",
    "Müller",
    "Núñez",
    "Dvořák",
    "Ångström",
    "Þórsdóttir",
    "Yılmaz",
    "Петров",
    "Иванова",
    "王",
    "山田",
    "حسن",
    "Nguyễn",
];

/// Groups of a directory.
pub(super) const TEAMS: [&str; 10] = [
    "Everyone",
    "Engineering",
    "Finance",
    "Sales",
    "Support",
    "Security",
    "Operations",
    "Legal",
    "Research",
    "Europe",
];

/// Scopes of an API.
pub(super) const PERMISSIONS: [&str; 8] = [
    "read:orders",
    "write:orders",
    "read:users",
    "read:invoices",
    "write:invoices",
    "read:stock",
    "delete:orders",
    "admin:tenants",
];

/// Client ids.
pub(super) const CLIENTS: [&str; 4] = ["web-shop", "mobile-app", "back-office", "reporting"];

/// Roles of a realm.
pub(super) const ROLES: [&str; 8] = [
    "manage-account",
    "manage-account-links",
    "view-profile",
    "view-orders",
    "edit-orders",
    "view-users",
    "query-groups",
    "impersonation",
];
