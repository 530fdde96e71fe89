-- What is settled for the whole store; a name that is not here has its usual value.
CREATE TABLE settings (
    name  text COLLATE "C" PRIMARY KEY,
    value text COLLATE "C" NOT NULL
);
