import { constants, setPriority } from "node:os";

// What runs beside something that is judged by how soon it acts takes what that leaves; its child processes inherit it.
setPriority(constants.priority.PRIORITY_LOW);
